// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../../host/host.js';
import type { Target } from '../target.js';

/** Field 22 of /proc/PID/stat (man proc(5)): a process id is given again, and this tells two of them apart. */
function beginOf(host: Host, pid: number): string {
  const stat = host.read(`/proc/${pid}/stat`) ?? '';
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 'ended';
}

/**
 * What changes when a guest, its DPDK program or its NIC's driver has restarted, or somebody moved an interrupt: a few
 * files, where a whole look reads those of every process. The same text: nothing of that happened.
 */
export function quickLook(host: Host, { facts, nics }: Target): string {
  const interrupts = nics.map(({ address }) =>
    host
      .names(`/sys/bus/pci/devices/${address}/msi_irqs`)
      .map((irq) => `${irq}=${host.read(`/proc/irq/${irq}/smp_affinity_list`)}`)
      .join(' '),
  );
  return [facts ? beginOf(host, facts.pid) : 'host', ...interrupts].join('|');
}
