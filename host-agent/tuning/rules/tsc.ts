// SPDX-License-Identifier: Apache-2.0
import { bootParameters } from '../boot.js';
import { type Rule, wellRead } from './rule.js';

const flags = ['constant_tsc', 'nonstop_tsc'];

export const tscFlags: Rule = {
  code: 'tsc-flags',
  severity: 'fail',
  why: 'a TSC that changes its rate or stops in deep C-states can time no packet, and KVM gives guests a slow clock',
  source: 'linux: Documentation/virt/kvm/x86/timekeeping.rst; arch/x86/kernel/tsc.c',
  judge(host) {
    const words = (/^flags\s*:(.*)$/m.exec(host.read('/proc/cpuinfo') ?? '')?.[1] ?? '').split(/\s+/);
    if (!words.includes('tsc')) return [];
    const lacking = flags.filter((flag) => !words.includes(flag));
    if (lacking.length === 0) return [wellRead('the TSC is constant and does not stop')];
    return [
      {
        read: `the CPU shows no ${lacking.join(' and no ')} in /proc/cpuinfo`,
        cure: 'Use a host that has it; in a VM, have its hypervisor pass an invariant TSC through.',
        undo: 'None is needed.',
      },
    ];
  },
};

/** What the kernel says when it marks the TSC unstable (linux: kernel/time/clocksource.c, arch/x86/kernel/tsc.c, tsc_sync.c). */
const complaints =
  /(Marking (?:clocksource '?tsc'?|TSC) (?:as )?unstable[^\n]*|TSC found unstable[^\n]*|TSC ADJUST differs[^\n]*|Measured \d+ cycles TSC warp[^\n]*)/i;

export const tscUnstable: Rule = {
  code: 'tsc-unstable',
  severity: 'fail',
  why: 'once the kernel marks the TSC unstable, each reading of the clock is a slow access to another timer, and guests lose their fast clock until the next boot',
  source: 'linux: kernel/time/clocksource.c (watchdog), arch/x86/kernel/tsc_sync.c (warp, TSC_ADJUST)',
  judge(host) {
    const boot = bootParameters(host);
    const given = boot.get('tsc') === 'unstable' ? 'tsc=unstable' : boot.has('notsc') ? 'notsc' : undefined;
    if (given !== undefined)
      return [
        { read: `booted with ${given}`, cure: `Boot without ${given}.`, undo: `Boot with ${given} again.` },
      ];
    const said = complaints.exec(host.kernelLog() ?? '')?.[1];
    return said === undefined
      ? []
      : [
          {
            read: `the kernel’s log says "${said.slice(0, 200)}"`,
            cure: 'Update the firmware (it writes TSC_ADJUST in an SMI, or starts sockets apart) and boot again; tsc=reliable only hides it.',
            undo: 'None is needed.',
          },
        ];
  },
};
