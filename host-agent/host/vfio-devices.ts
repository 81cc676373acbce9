// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import type { Host } from './host.js';
import { deviceInterrupts } from './interrupts.js';
import { isPciAddress } from './pci-address.js';

const pciDevices = '/sys/bus/pci/devices';

/** The kernel driver of a PCI function; `none` without one. */
export function driverOf(host: Pick<Host, 'link'>, address: string): string {
  return basename(host.link(`${pciDevices}/${address}/driver`) ?? 'none');
}

/**
 * Whether VFIO has a PCI function: by vfio-pci or a driver that is one for a kind of device (linux: drivers/vfio/pci/:
 * mlx5_vfio_pci, hisi_acc_vfio_pci, pds-vfio-pci, nvgrace-gpu-vfio-pci, ...). Each names itself so, and has a
 * vfio-dev folder since 6.1.
 */
export function isVfio(host: Pick<Host, 'link' | 'exists'>, address: string): boolean {
  return /vfio/.test(driverOf(host, address)) || host.exists(`${pciDevices}/${address}/vfio-dev`);
}

export interface HeldDevices {
  /** PCI functions that are the VM's. */
  functions: string[];
  /** PCI functions of a group that it has open, of which nothing says whether they are its: none of the group is sure. */
  doubtful: string[];
  /** UUIDs of mediated devices. */
  mediated: string[];
}

/** What a process has open of VFIO (linux: Documentation/driver-api/vfio.rst, vfio-iommufd.rst). */
interface Opened {
  groups: Set<string>;
  /** Opened by themselves, without a group: PCI addresses and UUIDs. */
  devices: Set<string>;
  /** Its descriptors cannot be read, or one of them is of VFIO and does not say of which device. */
  isUnknown: boolean;
}

function opened(host: Host, pid: number): Opened {
  const groups = new Set<string>();
  const devices = new Set<string>();
  const descriptors = host.names(`/proc/${pid}/fd`);
  let isUnknown = descriptors.length === 0;
  for (const fd of descriptors) {
    const file = (host.link(`/proc/${pid}/fd/${fd}`) ?? '').replace(/ \(deleted\)$/, '');
    const group = /^\/dev\/vfio\/(?:noiommu-)?(\d+)$/.exec(file)?.[1];
    if (group !== undefined) groups.add(group);
    const character = /^\/dev\/vfio\/devices\/(vfio\d+)$/.exec(file)?.[1];
    const device =
      character === undefined
        ? /vfio-device/.test(file) && deviceOfInfo(host.read(`/proc/${pid}/fdinfo/${fd}`))
        : deviceOfCharacter(host, character);
    if (device) devices.add(device);
    else if (group === undefined && /vfio-|\/vfio\d|^\/dev\/iommu$/.test(file)) isUnknown = true;
  }
  return { groups, devices, isUnknown };
}

/** Newer kernels say it (linux: drivers/vfio/vfio_main.c, vfio_device_show_fdinfo). */
function deviceOfInfo(info: string | null): string | undefined {
  return /^vfio-device-syspath:\s*(\S+)$/m
    .exec(info ?? '')?.[1]
    ?.split('/')
    .at(-1);
}

function deviceOfCharacter(host: Host, character: string): string | undefined {
  const device = host.link(`/sys/class/vfio-dev/${character}/device`);
  if (device !== null) return basename(device);
  // /sys/devices/.../DEVICE/vfio-dev/vfioN
  const inDevice = /\/([^/]+)\/vfio-dev\/[^/]+$/.exec(
    host.link(`/sys/class/vfio-dev/${character}`) ?? '',
  )?.[1];
  if (inDevice !== undefined) return inDevice;
  return ['/sys/bus/pci/devices', '/sys/bus/mdev/devices']
    .flatMap((folder) =>
      host.names(folder).map((name) => ({ name, path: `${folder}/${name}/vfio-dev/${character}` })),
    )
    .find(({ path }) => host.exists(path))?.name;
}

const groupOf = (host: Host, device: string) =>
  ['/sys/bus/pci/devices', '/sys/bus/mdev/devices']
    .map((folder) => basename(host.link(`${folder}/${device}/iommu_group`) ?? ''))
    .find((group) => group !== '') ??
  host
    .names('/sys/kernel/iommu_groups')
    .find((group) => host.exists(`/sys/kernel/iommu_groups/${group}/devices/${device}`));

/** Only while a VFIO user has it open and its driver has set them up (linux: drivers/vfio/pci/vfio_pci_intrs.c). */
const interrupts = (host: Host, address: string) =>
  deviceInterrupts(host, address).some(({ action }) => action.startsWith('vfio-'));

/** What somebody says that a VM has. */
export interface NamedDevices {
  /** PCI addresses and UUIDs. */
  devices: readonly string[];
  /** Libvirt's own note of what it has now; else QEMU's words at its start, and much may have been unplugged since. */
  isNow: boolean;
}

/**
 * Which devices a VM holds. The kernel says which groups and devices its process has open; of a group with several
 * functions, those that are `named`, that interrupt, or that are alone in it.
 */
export function heldDevices(host: Host, pid: number, named: NamedDevices): HeldDevices {
  const { groups, devices, isUnknown } = opened(host, pid);
  const unseen = groups.size === 0 && devices.size === 0 && (isUnknown || named.isNow);
  const isOpen = (device: string) => unseen || devices.has(device) || groups.has(groupOf(host, device) ?? '');
  const sure = new Set([...devices, ...named.devices.filter(isOpen)]);
  const doubtful = new Set<string>();
  for (const group of groups) {
    const members = host
      .names(`/sys/kernel/iommu_groups/${group}/devices`)
      .filter((device) => !isPciAddress(device) || isVfio(host, device));
    for (const device of members) if (members.length === 1 || interrupts(host, device)) sure.add(device);
    if (!members.some((device) => sure.has(device))) for (const device of members) doubtful.add(device);
  }
  const pci = [...sure].filter((device) => isPciAddress(device) && isVfio(host, device));
  return {
    functions: pci.sort(),
    doubtful: [...doubtful].filter(isPciAddress).sort(),
    mediated: [...sure].filter((device) => !isPciAddress(device)).sort(),
  };
}
