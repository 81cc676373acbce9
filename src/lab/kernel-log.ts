// SPDX-License-Identifier: Apache-2.0

/** What L1's start script writes into the kernel's log (host/init.sh); what comes before is the bare kernel's own. */
const ourModules = /lab: loading modules/;

/** Lines of a kernel's log that no program of user space, and no device, may cause. */
export const kernelDefect =
  /WARNING:|BUG|Oops|Call Trace|Kernel panic|protection fault|stall|lockdep|corrupt|leak|suspicious|DEBUG_LOCKS|ODEBUG/i;

/** Warnings of L1's kernel that belong to the emulation or to what the lab does, and why each is expected. */
const expected: readonly (readonly [line: RegExp, why: string])[] = [
  [ourModules, 'our own mark'],
  [/loading out-of-tree module taints kernel/, 'the series is built outside the tree'],
  [/module verification failed: signature/, 'nor is it signed'],
  [/RT requires X86_FEATURE_CONSTANT_TSC, going on for the lab/, 'kernel-patches/*/lab'],
  [/kvm_(intel|amd): (VMX|SVM) not supported by CPU/, 'each CPU has one of the two'],
  [
    /^\[[ .\d]+\] Fair server disabled in CPU \d+/,
    'the DPDK CPU has it off (host-agent/tuning/fair-server.ts)',
  ],
  [
    /kvm(_amd|_intel)?(?: \[\d+\])?: .*(Unhandled|unhandled|ignored) (WRMSR|RDMSR|wrmsr|rdmsr)/,
    "the guest tries another CPU's registers",
  ],
  [/sched: RT throttling activated/, 'until the limit is lifted'],
  [/kvm: already loaded vendor module/, 'each of the two is tried'],
  [/kvm_amd: set kvm_amd\.dump_invalid_vmcb=1/, 'a selftest tries an invalid VM'],
];

/** The log's lines that nobody expects, from the loading of our modules on. `lines` are at level warning or above. */
export function unexpectedLines(lines: readonly string[]): string[] {
  const begin = lines.findIndex((line) => ourModules.test(line));
  return lines.slice(Math.max(begin, 0)).filter((line) => !expected.some(([sign]) => sign.test(line)));
}
