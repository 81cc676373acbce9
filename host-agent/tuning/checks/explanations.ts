// SPDX-License-Identifier: Apache-2.0
import type { Finding } from './finding.js';

type Explanation = Pick<Finding, 'why' | 'source' | 'undo'>;

const bootAgain = 'Boot with the parameters as they were.';

/** What harm a finding does and where that is documented, by code; what needs no explanation is left out. */
const explanations: Readonly<Record<string, Explanation>> = {
  'rt-kernel': {
    why: 'without PREEMPT_RT a task in the kernel may delay the woken vCPU for as long as it takes',
    source: 'linux: Documentation/core-api/real-time/theory.rst',
    undo: 'Boot the kernel from before.',
  },
  isolcpus: {
    why: 'a task that the scheduler moves there runs until its slice ends, or waits for a vCPU that polls',
    source:
      'linux: Documentation/admin-guide/kernel-parameters.txt, isolcpus=; cgroup-v2.rst, cpuset.cpus.partition',
    undo: bootAgain,
  },
  'nohz-full': {
    why: 'each tick interrupts the guest: an exit some hundred times a second',
    source: 'linux: Documentation/timers/no_hz.rst',
    undo: bootAgain,
  },
  'rcu-nocbs': {
    why: 'RCU callbacks run in softirq on the CPU that queued them, for as long as there are some',
    source: 'linux: Documentation/admin-guide/kernel-parameters.txt, rcu_nocbs=',
    undo: bootAgain,
  },
  'fair-server': {
    why: 'since 6.12 each CPU keeps 50 ms of each second for ordinary tasks that wait',
    source: 'linux: kernel/sched/deadline.c (dl_server), kernel/sched/debug.c (fair_server)',
    undo: 'vmcall tune restore',
  },
  'idle-poll': {
    why: 'an idle CPU then polls for work: nothing is handed back, and its sibling runs slower',
    source: 'linux: Documentation/admin-guide/kernel-parameters.txt, idle=',
    undo: 'Boot with idle=poll again.',
  },
  'priority-inversion': {
    why: 'FIFO lets the interrupt’s thread run only when the vCPU blocks, and the vCPU polls for what that thread would bring',
    source: 'man sched(7); linux: kernel/irq/manage.c, irq_thread',
    undo: 'vmcall tune restore',
  },
  'other-interrupts': {
    why: 'each interrupt of another device makes the guest exit',
    source: 'linux: Documentation/core-api/irq/irq-affinity.rst; kernel-parameters.txt, irqaffinity=',
    undo: 'Write what /proc/irq/N/smp_affinity_list was before.',
  },
  throttling: {
    why: 'a NIC that throttles delays an interrupt for up to half a millisecond',
    source:
      'slides, "Performance Issues on a Native OS"; linux: Documentation/networking/device_drivers/ethernet/intel/e1000e.rst',
    undo: 'Load the driver with the parameters as they were.',
  },
  'vfio-handler': {
    why: 'a handler in a thread runs when the scheduler lets it: a wake-up and a switch before each packet',
    source: 'slides, "Non-threaded ISR"; linux: kernel/irq/manage.c, force_irqthreads',
    undo: 'Load the distribution’s modules again.',
  },
  numa: {
    why: 'interrupts, descriptors and packets cross the link between the sockets',
    source: 'dpdk: doc/guides/linux_gsg/nic_perf_intel_platform.rst',
    undo: 'Pin it as before.',
  },
  smt: {
    why: 'a sibling that works takes half of the core’s execution units, and shares its caches',
    source: 'linux: Documentation/admin-guide/hw-vuln/core-scheduling.rst; tuned: profiles/realtime',
    undo: 'echo 1 > /sys/devices/system/cpu/cpuN/online.',
  },
  hugepages: {
    why: 'small pages miss the TLB, and each miss walks the guest’s and the host’s tables',
    source:
      'linux: Documentation/admin-guide/mm/hugetlbpage.rst; libvirt: docs/formatdomain.rst, memoryBacking',
    undo: 'Take it out of the domain again.',
  },
  clocksource: {
    why: 'each reading of HPET or ACPI’s timer is a slow access to a device, and they are read at each wake',
    source: 'linux: Documentation/timers/timekeeping.rst',
    undo: 'None is needed.',
  },
  'tsc-rate': {
    why: 'KVM sets the TSC rate of guests by the kernel’s idea of the host’s, which is wrong in this boot',
    source: 'linux: arch/x86/kvm/x86.c, set_tsc_khz',
    undo: 'None is needed.',
  },
  'interrupt-remapping': {
    why: 'without it a new affinity is written to the device, and takes effect with the interrupt after the next',
    source: 'linux: arch/x86/kernel/apic/msi.c (msi_set_affinity)',
    undo: bootAgain,
  },
  irqbalance: {
    why: 'it writes affinities again every ten seconds',
    source: 'man irqbalance(1)',
    undo: 'systemctl enable --now irqbalance',
  },
  tuned: {
    why: 'it reapplies these each time it starts or changes its profile',
    source: 'man tuned.conf(5), tuned-adm(8)',
    undo: 'systemctl enable --now tuned, with the profile as it was.',
  },
  ksm: {
    why: 'a write to a merged page faults on the host, which copies it first',
    source: 'linux: Documentation/admin-guide/mm/ksm.rst',
    undo: 'echo 1 > /sys/kernel/mm/ksm/run; systemctl enable --now ksm ksmtuned.',
  },
  'iommu-group': {
    why: 'VFIO gives a group as a whole or not at all: with a host’s driver in it none of it',
    source: 'linux: Documentation/driver-api/vfio.rst, "Groups, Devices, and IOMMUs"',
    undo: 'driverctl unset-override ADDRESS.',
  },
  'cpu-of-another-vm': {
    why: 'of two that poll on one CPU only one runs',
    source: 'libvirt: docs/formatdomain.rst, vcpupin',
    undo: 'Pin it as before.',
  },
};

const onDpdkCpu: Explanation = {
  why: 'a thread there waits for as long as the vCPU polls, and the vCPU for it after that',
  source: 'man sched(7); libvirt: docs/formatdomain.rst, "CPU Tuning"',
  undo: 'Pin it as before.',
};

/** With reason, source and undo, where it has none of its own and all is not well. */
export function explained(finding: Finding): Finding {
  const known = /-on-dpdk-cpu$/.test(finding.code) ? onDpdkCpu : explanations[finding.code];
  return finding.severity === 'ok' || finding.why !== null || known === undefined
    ? finding
    : { ...finding, ...known, undo: finding.undo ?? known.undo };
}
