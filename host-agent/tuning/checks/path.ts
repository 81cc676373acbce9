// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../../host/host.js';
import { forcesInterruptThreads } from '../boot.js';
import { type Finding, fail, ok, warn } from './finding.js';

/** A parameter of KVM that only the modules of kernel-patches/ have. */
export const seriesParameter = '/sys/module/kvm/parameters/irqfd_hardirq_max';

/** Of the guest driver, in a guest: guest-agent/driver. */
const driver = '/sys/class/misc/vmcall';

/** Linux knows KVM below itself, and offers its clock. */
export function isKvmGuest(host: Host): boolean {
  const clocks = host.read('/sys/devices/system/clocksource/clocksource0/available_clocksource') ?? '';
  return clocks.split(/\s+/).includes('kvm-clock');
}

/** The path that fits this host: the VM call where KVM has the series, else what needs no patch. */
export function pathOfHost(host: Host): Finding {
  if (host.exists(seriesParameter)) return ok('path', 'the path that fits: vmcall (vmcall enable DOMAIN)');
  if (host.exists('/dev/kvm'))
    return ok(
      'path',
      'the path that fits a KVM without the series: pv-kick, by the guest driver (vmcall enable --path pv-kick DOMAIN)',
    );
  return warn(
    'path',
    forcesInterruptThreads(host)
      ? 'no KVM: interrupts, and here their handlers run in threads'
      : 'no KVM: interrupts, with the hard handler, or polling',
    'vmcall and pv-kick are for guests of KVM.',
  );
}

/** In a guest, where nothing of the host can be seen but what the guest driver tells. */
export function checkGuest(host: Host): Finding[] {
  if (!host.exists(driver))
    return [
      fail(
        'guest-driver',
        'the guest driver is not loaded (no /dev/vmcall)',
        'apt-get install vmcall-guest-dkms && modprobe vmcall  # until then: injected, or poll',
      ),
    ];
  const hasYield = host.read(`${driver}/host_yield`)?.trim() === '1';
  return [
    ok('guest-driver', '/dev/vmcall is there'),
    hasYield
      ? ok('path', 'the path that fits: vmcall, which the host\u2019s KVM has')
      : ok('path', 'the path that fits a host without the series: pv-kick'),
  ];
}
