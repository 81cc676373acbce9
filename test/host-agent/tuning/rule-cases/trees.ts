// SPDX-License-Identifier: Apache-2.0
import type { Tree } from '../memory-host.js';

/** A rule's code and verdict, a host that it finds fault with, one that it does not, and the fix. */
export type RuleCase = [code: string, severity: 'warn' | 'fail', bad: Tree, good: Tree, fix: RegExp];

export const nic = '0000:81:00.0';

export const idle = '/sys/devices/system/cpu/cpu6/cpuidle';
export const states = {
  '/sys/devices/system/cpu/cpuidle/current_driver': 'intel_idle',
  '/sys/devices/system/cpu/cpuidle/current_governor': 'menu',
  '/sys/devices/system/cpu/possible': '0-7',
  '/sys/devices/system/cpu/nohz_full': '6-7',
  [`${idle}/state1/name`]: 'C1',
  [`${idle}/state1/latency`]: '2',
  [`${idle}/state2/name`]: 'C6',
  [`${idle}/state2/latency`]: '133',
};
export const frequency = '/sys/devices/system/cpu/cpu6/cpufreq';
export const rt = 'Linux version 6.12.117+deb12-rt-amd64 (x) #1 SMP PREEMPT_RT Debian';
export const irq = {
  [`/sys/bus/pci/devices/${nic}/msi_irqs/45`]: 'msix',
  '/proc/irq/45/smp_affinity_list': '6',
  '/sys/kernel/irq/45/actions': `vfio-msix[0](${nic})`,
};
export const node = { [`/sys/bus/pci/devices/${nic}/numa_node`]: '1' };
export const maps = (page: number, nodes: string) => ({
  ...node,
  '/proc/2000/numa_maps': `7f00 bind:1 file=/anon_hugepage huge anon=4096 dirty=4096 ${nodes} kernelpagesize_kB=${page}\n7f01 default heap anon=3 N0=3 kernelpagesize_kB=4`,
});
export const latency = (us: number) => String.fromCharCode(us & 255, us >> 8, 0, 0);

export const kernel = '6.12.117+deb12-rt-amd64';
export const series = { '/sys/module/kvm/parameters/irqfd_hardirq_max': '8' };
export const six = ['kvm', 'kvm-amd', 'kvm-intel', 'irqbypass', 'vfio-pci-core', 'vfio-pci'];
export const index = (folder: string) => six.map((name) => `${folder}/${name}.ko.xz:`).join('\n');
export const dpkg = (version: string) =>
  `Package: other\nStatus: install ok installed\nVersion: 9\n\nPackage: linux-headers-${kernel}\nStatus: install ok installed\nSource: linux\nVersion: ${version}\n\nPackage: x\n`;
