// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Domain } from '../../../host-agent/native/domain.js';
import type { NicPlace } from '../events.js';
import { dpdkMac } from '../machine.js';
import { readText } from './commands.js';
import { pciAddress } from './domain-xml.js';
import { emit } from './events.js';
import { Libvirtd } from './libvirtd.js';
import { findInterface } from './nic.js';
import type { Steps } from './steps.js';

export const hotPlugStepCount = 3;

const name = 'hot-plug';
/** Checks of the NIC, 100 ms of the lab's clock apart. */
const tries = 600;

/**
 * No system to boot, so none that would give a device back: its slot is PCIe's own, not ACPI's, and has no power, so that
 * QEMU takes the device at once (qemu: hw/pci/pcie.c, pcie_cap_slot_unplug_request_cb).
 */
const domainWithSlot = `<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>${name}</name>
  <memory unit='MiB'>32</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <controller type='pci' index='0' model='pcie-root'/>
    <controller type='pci' index='1' model='pcie-root-port'/>
    <memballoon model='none'/>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-global'/>
    <qemu:arg value='ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off'/>
  </qemu:commandline>
</domain>`;

/** Gives a running domain the NIC, from the host's own driver, and takes it back, through the addon. */
export async function hotPlug(steps: Steps): Promise<void> {
  const nic = findInterface(dpdkMac(0)).address;
  const device = `<hostdev mode='subsystem' type='pci' managed='yes'>
    <source><address ${pciAddress(nic)}/></source><rom bar='off'/>
  </hostdev>`;
  const { connection } = await Libvirtd.start();
  const domain = await connection.defineDomain(domainWithSlot);
  await steps.take('starting a domain with a free slot', () => domain.start());
  const before = await placeOf(nic, domain);
  await steps.take('attaching the NIC', () => domain.attachDevice(device, 'live'));
  const attached = await placeOf(nic, domain);
  const detached = await steps.take('detaching the NIC', async () => {
    await domain.detachDevice(device, 'live');
    return placeOnceGone(nic, domain);
  });
  emit({ type: 'hot-plug', before, attached, detached });
  await domain.destroy();
}

/** libvirt may say that a device is detached before the guest has given it back. */
async function placeOnceGone(nic: string, domain: Domain): Promise<NicPlace> {
  for (let attempt = 1; ; attempt++) {
    const place = await placeOf(nic, domain);
    if (!place.inDomain || attempt === tries) return place;
    await delay(100);
  }
}

async function placeOf(nic: string, domain: Domain): Promise<NicPlace> {
  const files = `/proc/${readText(`/run/libvirt/qemu/${name}.pid`)}/fd`;
  return {
    driver: basename(readlinkSync(`/sys/bus/pci/devices/${nic}/driver`)),
    inDomain: (await domain.xml()).includes('<hostdev'),
    openInQemu: readdirSync(files).some((file) => readlinkSync(`${files}/${file}`).includes('vfio-device')),
  };
}
