// SPDX-License-Identifier: Apache-2.0
import { dpdkCpu, dpdkVcpu, housekeepingCpu, vcpuPriority } from './cpus.js';

/** What tells a guest of the lab from the others. */
export interface Identity {
  name: string;
  uuid: string;
  /** Of its ordinary NIC. */
  mac: string;
  /** A network of two, the host's end made by libvirt, for the guest's agent. */
  management: { host: string; guest: string; prefix: number; device: string };
}

/** Of the nth guest, from 0 on; most scenarios have one. */
export function identityOf(nth: number): Identity {
  const network = `192.168.${83 + nth}`;
  return {
    name: nth === 0 ? 'dpdk' : `dpdk${nth}`,
    uuid: `5b1c7a52-6f0e-4c57-9a55-0d2f3c1e8a1${nth}`,
    mac: `52:54:00:00:01:0${2 + nth}`,
    management: { host: `${network}.1`, guest: `${network}.2`, prefix: 24, device: `guest${nth}` },
  };
}

export const { name: domainName, uuid: domainUuid, management } = identityOf(0);

/**
 * No restartable sequences: where a thread has them, the kernel handles them each time the vCPU gets its CPU back,
 * before it enters the guest.
 */
const tunables = 'glibc.pthread.rseq=0';

const pinning = `<cputune>
    <vcpupin vcpu='${1 - dpdkVcpu}' cpuset='${housekeepingCpu}'/>
    <vcpupin vcpu='${dpdkVcpu}' cpuset='${dpdkCpu}'/>
    <emulatorpin cpuset='${housekeepingCpu}'/>
    <vcpusched vcpus='${dpdkVcpu}' scheduler='fifo' priority='${vcpuPriority}'/>
  </cputune>`;

export interface DomainParts {
  identity: Identity;
  /** Each thread where it belongs, the DPDK vCPU in real time; else where the kernel likes. */
  isPinned: boolean;
  memoryMiB: number;
  kernel: string;
  initramfs: string;
  commandLine: string;
  /** PCI address of the NIC on the host, bound to vfio-pci. */
  nic: string;
  /** Unix socket of each virtio-serial port, by the port's name. */
  ports: Readonly<Record<string, string>>;
  /** Unix socket of a monitor of the lab's own, beside libvirt's. */
  monitor: string;
  console: string;
}

/**
 * A DPDK guest as an administrator defines it: the DPDK vCPU alone on the isolated CPU at a real-time priority, all else
 * of it on the other, huge pages, the NIC passed through, nothing that it does not need. All devices are on the root
 * bus: no hot-plug ports, which cost time at boot.
 */
export function domainXml(parts: DomainParts): string {
  const { identity, isPinned, memoryMiB, kernel, initramfs, commandLine, nic, ports, monitor, console } =
    parts;
  const { management } = identity;
  const channels = Object.entries(ports).map(
    ([name, path]) => `<channel type='unix'>
      <source mode='bind' path='${escaped(path)}'/><target type='virtio' name='vmcall.${escaped(name)}'/>
    </channel>`,
  );
  return `<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>${identity.name}</name>
  <uuid>${identity.uuid}</uuid>
  <memory unit='MiB'>${memoryMiB}</memory>
  <memoryBacking><hugepages/></memoryBacking>
  <vcpu placement='static'>2</vcpu>
  ${isPinned ? pinning : ''}
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>${escaped(kernel)}</kernel>
    <initrd>${escaped(initramfs)}</initrd>
    <cmdline>${escaped(commandLine)}</cmdline>
  </os>
  <features><acpi/><apic/><ioapic driver='kvm'/></features>
  <cpu mode='host-passthrough' check='none'><topology sockets='1' cores='2' threads='1'/></cpu>
  <on_reboot>destroy</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    <iommu model='intel'><driver intremap='off' caching_mode='on'/></iommu>
    <serial type='file'><source path='${escaped(console)}'/></serial>
    <hostdev mode='subsystem' type='pci' managed='no'>
      <source><address ${pciAddress(nic)}/></source><rom bar='off'/>${onRootBus(1)}
    </hostdev>
    <controller type='virtio-serial'>${onRootBus(2)}</controller>
    ${channels.join('\n    ')}
    <interface type='ethernet'>
      <mac address='${identity.mac}'/>
      <source><ip address='${management.host}' family='ipv4' prefix='${management.prefix}'/></source>
      <target dev='${management.device}'/>
      <model type='virtio'/><driver name='qemu'/><rom bar='off'/>${onRootBus(3)}
    </interface>
    <filesystem type='mount' accessmode='passthrough' multidevs='remap'>
      <source dir='/'/><target dir='host'/><readonly/>${onRootBus(4)}
    </filesystem>
  </devices>
  <qemu:commandline>
    <qemu:env name='GLIBC_TUNABLES' value='${tunables}'/>
    <qemu:arg value='-chardev'/>
    <qemu:arg value='socket,id=lab-monitor,path=${escaped(monitor)},server=on,wait=off'/>
    <qemu:arg value='-mon'/>
    <qemu:arg value='chardev=lab-monitor,mode=control'/>
  </qemu:commandline>
</domain>
`;
}

const onRootBus = (slot: number) =>
  `<address type='pci' domain='0x0000' bus='0x00' slot='0x0${slot}' function='0x0'/>`;

/** `0000:00:0b.0` as libvirt has it. */
export function pciAddress(address: string): string {
  const [, domain, bus, slot, part] =
    /^([0-9a-f]{4}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/.exec(address) ?? [];
  if (part === undefined) throw new Error(`${address} is no PCI address`);
  return `domain='0x${domain}' bus='0x${bus}' slot='0x${slot}' function='0x${part}'`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll("'", '&apos;');
}
