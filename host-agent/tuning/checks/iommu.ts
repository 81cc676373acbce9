// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import type { Host } from '../../host/host.js';
import { deviceInterrupts } from '../../host/interrupts.js';
import { isVfio } from '../../host/vfio-devices.js';
import type { Target } from '../target.js';
import { type Finding, fail, ok, warn } from './finding.js';

/** Drivers that may share a group with a passed-through device (linux: Documentation/driver-api/vfio.rst). */
const harmless = ['pcieport', 'pci-stub', 'none'];

function driver(host: Host, address: string): string {
  return basename(host.link(`/sys/bus/pci/devices/${address}/driver`) ?? 'none');
}

/** The IOMMU, the NIC's group, and interrupt remapping. */
export function checkIommu(host: Host, { nics }: Target): Finding[] {
  const groups = host.names('/sys/kernel/iommu_groups').length;
  if (groups === 0)
    return [
      fail(
        'iommu',
        '/sys/kernel/iommu_groups is empty: no device can be passed through',
        'Switch VT-d or AMD-Vi on in the firmware; on Intel boot with intel_iommu=on iommu=pt.',
      ),
    ];
  return [
    ok('iommu', `${groups} IOMMU groups`),
    ...nics.flatMap(({ address }) => nicFindings(host, address)),
  ];
}

function nicFindings(host: Host, address: string): Finding[] {
  const group = basename(host.link(`/sys/bus/pci/devices/${address}/iommu_group`) ?? '');
  const sharers = (group ? host.names(`/sys/kernel/iommu_groups/${group}/devices`) : []).filter(
    (other) => other !== address && !harmless.includes(driver(host, other)) && !isVfio(host, other),
  );
  const unmapped = deviceInterrupts(host, address).filter(
    ({ irq }) => !host.read(`/sys/kernel/irq/${irq}/chip_name`)?.includes('IR-'),
  );
  const findings = [ok('nic-driver', `${address} is on ${driver(host, address)}`)];
  if (sharers.length > 0)
    findings.push({
      ...fail(
        'iommu-group',
        `${address} shares IOMMU group ${group} with ${sharers.join(', ')}, which host drivers have`,
        `Put the NIC into another slot; or, if the host can do without ${sharers.join(' and ')}: ${sharers.map((one) => `driverctl set-override ${one} vfio-pci`).join(' && ')}`,
      ),
      undo: sharers.map((one) => `driverctl unset-override ${one}`).join(' && '),
    });
  if (unmapped.length > 0)
    findings.push(
      warn(
        'interrupt-remapping',
        `${address}: its interrupts are not remapped; a new affinity takes effect with the next interrupt only`,
        'Switch interrupt remapping on in the firmware; do not boot with intremap=off.',
      ),
    );
  return findings;
}
