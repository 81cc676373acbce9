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
    undo: 'Boot with the parameters as they were.',
  },
  throttling: {
    why: 'a NIC that throttles delays an interrupt for up to half a millisecond',
    source:
      'the KVM4NFV talk, "Performance Issues on a Native OS"; linux: Documentation/networking/device_drivers/ethernet/intel/e1000e.rst',
    undo: 'Load the driver with the parameters as they were.',
  },
  'vfio-handler': {
    why: 'a handler in a thread runs when the scheduler lets it: a wake-up and a switch before each packet',
    source: 'the KVM4NFV talk, "Non-threaded ISR"; linux: kernel/irq/manage.c, force_irqthreads',
    undo: 'apt-get purge vmcall-kvm-dkms',
  },
  numa: {
    why: 'interrupts, descriptors and packets cross the link between the sockets',
    source: 'dpdk: doc/guides/linux_gsg/nic_perf_intel_platform.rst',
    undo: 'Pin it as before.',
  },
  smt: {
    why: 'a sibling that works takes half of the core’s execution units, and shares its caches',
    source: 'linux: Documentation/admin-guide/hw-vuln/core-scheduling.rst; tuned: profiles/realtime',
    undo: 'Pin them as before.',
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
    undo: 'systemctl enable --now tuned',
  },
  ksm: {
    why: 'a write to a merged page faults on the host, which copies it first',
    source: 'linux: Documentation/admin-guide/mm/ksm.rst',
    undo: 'echo 1 > /sys/kernel/mm/ksm/run',
  },
  'iommu-group': {
    why: 'VFIO gives a group as a whole or not at all: with a host’s driver in it none of it',
    source: 'linux: Documentation/driver-api/vfio.rst, "Groups, Devices, and IOMMUs"',
    undo: 'Restore it.',
  },
  'throttling-needed': {
    why: 'without the limit a real-time vCPU that polls keeps its NIC’s interrupt thread from running for good',
    source: 'linux: Documentation/scheduler/sched-rt-group.rst; kernel/irq/manage.c, irq_thread',
    undo: 'Set it back with chrt.',
  },
  'cpu-virtualisation': {
    why: 'KVM runs guests by these instructions alone',
    source: 'linux: Documentation/virt/kvm/x86; man lscpu(1)',
    undo: 'Switch it off in the firmware again.',
  },
  kvm: {
    why: 'without KVM there is no guest whose vCPU could yield',
    source: 'linux: Documentation/virt/kvm/api.rst',
    undo: 'modprobe -r kvm_intel kvm_amd kvm',
  },
  'vmcall-modules': {
    why: 'the hypercall, its doorbells and the non-threaded handler are our series of patches to KVM and VFIO',
    source: 'kernel-patches/README.md',
    undo: 'apt-get purge vmcall-kvm-dkms',
  },
  path: {
    why: 'the VM call and the PV kick are calls to KVM',
    source: 'docs/faq.md; guest-agent/driver/README.md',
    undo: 'None is needed.',
  },
  'guest-driver': {
    why: 'it asks the host for the VM call, and waits by PV kick where the host has none',
    source: 'guest-agent/driver/README.md',
    undo: 'modprobe -r vmcall && apt-get purge vmcall-guest-dkms',
  },
  iommu: {
    why: 'VFIO passes a device through only behind an IOMMU, which keeps it to the guest’s memory',
    source: 'linux: Documentation/driver-api/vfio.rst',
    undo: bootAgain,
  },
  microcode: {
    why: 'without it the kernel makes up for the fault by slower ways, or not at all',
    source: 'linux: Documentation/admin-guide/hw-vuln/index.rst',
    undo: 'Boot with dis_ucode_ldr.',
  },
  libvirt: {
    why: 'by libvirt the host agent learns which domains there are, and keeps which path each shall have',
    source: 'host-agent/README.md',
    undo: 'systemctl stop libvirtd',
  },
  'guest-agent': {
    why: 'the guest agent tells its program to change its way of waiting',
    source: 'guest-agent/README.md',
    undo: 'systemctl disable --now vmcall-guest-agent  # in the guest',
  },
  dataplane: {
    why: 'the program in the guest is what waits for packets',
    source: 'guest-agent/README.md',
    undo: 'None is needed.',
  },
  process: {
    why: 'what is judged of a domain are the threads and devices of its QEMU',
    source: 'host-agent/tuning/README.md',
    undo: 'Shut it down again.',
  },
  'vcpu-cpu-shared': {
    why: 'of two that poll on one CPU only one runs',
    source: 'libvirt: docs/formatdomain.rst, vcpupin',
    undo: 'Pin it as before.',
  },
  'vcpu-pinned-elsewhere': {
    why: 'whoever pinned it had a reason, which nobody but him knows',
    source: 'host-agent/tuning/README.md',
    undo: 'Pin it as before.',
  },
  'vcpu-not-pinned': {
    why: 'a vCPU that the scheduler moves takes its interrupts, caches and idle state to another CPU each time',
    source: 'the KVM4NFV talk, "vCPUs bound to isolated pCPUs"; libvirt: docs/formatdomain.rst, vcpupin',
    undo: 'vmcall tune restore',
  },
  'vcpu-0': {
    why: 'a real-time vCPU 0 that polls keeps the guest’s own work, which is done there, from running',
    source: 'nova: hw:cpu_realtime_mask (doc/source/admin/real-time.rst)',
    undo: 'vmcall tune restore',
  },
  'nic-cpu': {
    why: 'an interrupt that comes to another CPU than that which waits for it costs one between processors',
    source:
      'the KVM4NFV talk, "Optimizations on a Native OS"; linux: Documentation/core-api/irq/irq-affinity.rst',
    undo: 'vmcall tune restore',
  },
  'nic-unknown': {
    why: 'a function of the group that is not the guest’s must not be set for it',
    source: 'linux: Documentation/driver-api/vfio.rst, "Groups, Devices, and IOMMUs"',
    undo: 'vmcall tune restore',
  },
  'nic-of-another-vm': {
    why: 'its interrupts are another VM’s: moved here, that one waits for a CPU that is not its own',
    source: 'linux: Documentation/driver-api/vfio.rst',
    undo: 'None is needed.',
  },
  'no-nic': {
    why: 'a virtio or vhost NIC is worked by the host’s own threads: no interrupt of a device rings the doorbell',
    source: 'kernel-patches/README.md; linux: Documentation/driver-api/vfio.rst',
    undo: 'Take it out of the domain again.',
  },
  'emulator-place': {
    why: "QEMU's own threads would take the DPDK vCPU's CPU away from it",
    source: 'libvirt: docs/formatdomain.rst, emulatorpin',
    undo: 'Pin it as before.',
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
