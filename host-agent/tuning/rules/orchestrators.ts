// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../../host/host.js';
import { type Rule, wellRead } from './rule.js';

/** Where distributions and deployment tools put it; later ones win. */
function novaFiles(host: Host): string[] {
  const folder = '/etc/nova/nova.conf.d';
  return [
    '/etc/nova/nova.conf',
    '/etc/nova/nova-compute.conf',
    '/etc/nova/nova-cpu.conf',
    ...host
      .names(folder)
      .filter((name) => name.endsWith('.conf'))
      .map((name) => `${folder}/${name}`),
    '/etc/kolla/nova-compute/nova.conf',
    '/var/lib/config-data/puppet-generated/nova_libvirt/etc/nova/nova.conf',
  ];
}

/** An option of `[libvirt]`; null where none sets it. */
function novaOption(host: Host, name: string): string | null {
  const values = novaFiles(host).flatMap((file) => {
    const section = /^\[libvirt\]([^[]*)/m.exec(host.read(file) ?? '')?.[1] ?? '';
    return new RegExp(`^[^\\S\\n]*${name}[^\\S\\n]*=[^\\S\\n]*(\\S+)`, 'm').exec(section)?.[1] ?? [];
  });
  return values.at(-1) ?? null;
}

export const novaPower: Rule = {
  code: 'nova-cpu-power',
  severity: 'warn',
  why: 'nova sets the governor of its dedicated CPUs, or takes them off line, when an instance comes or goes: what is set for a CPU there is gone with it',
  source: 'nova: doc/source/admin/cpu-topologies.rst, "Configuring CPU power management for dedicated cores"',
  judge(host) {
    if (!/^(true|1|yes|on)$/i.test(novaOption(host, 'cpu_power_management') ?? '')) return [];
    const strategy = novaOption(host, 'cpu_power_management_strategy') ?? 'cpu_state';
    return [
      {
        read: `nova manages the power of its dedicated CPUs (libvirt.cpu_power_management, strategy ${strategy})`,
        cure:
          strategy === 'governor'
            ? 'Leave governors to nova (cpu_power_governor_high = performance), and run vmcall tune apply again after an instance is started.'
            : 'Set [libvirt] cpu_power_management = false in nova.conf and restart nova-compute; else run vmcall tune apply again after each start.',
        undo: 'Set it to true again and restart nova-compute.',
      },
    ];
  },
};

const annotations = [
  'irq-load-balancing.crio.io',
  'cpu-load-balancing.crio.io',
  'cpu-quota.crio.io',
  'cpu-c-states.crio.io',
  'cpu-freq-governor.crio.io',
];

/** Annotations that containers running now have, and those that the configuration allows. */
function crioAnnotations(host: Host): { used: string[]; allowed: string[] } {
  const containers = [
    '/run/containers/storage/overlay-containers',
    '/var/run/containers/storage/overlay-containers',
  ];
  const used = containers.flatMap((folder) =>
    host.names(folder).flatMap((id) => {
      const text = host.read(`${folder}/${id}/userdata/config.json`) ?? '';
      return annotations.filter((name) => text.includes(`"${name}`));
    }),
  );
  const folder = '/etc/crio/crio.conf.d';
  const files = ['/etc/crio/crio.conf', ...host.names(folder).map((name) => `${folder}/${name}`)];
  const text = files
    .map((file) => host.read(file) ?? '')
    .join('\n')
    .replace(/^\s*#.*$/gm, '');
  return { used: [...new Set(used)], allowed: annotations.filter((name) => text.includes(name)) };
}

export const crioPods: Rule = {
  code: 'crio-annotations',
  severity: 'warn',
  why: 'CRI-O writes interrupt affinities, PM QoS and governors of a pod’s CPUs, and irqbalance’s bans, when a pod with these annotations comes or goes',
  source: 'cri-o: internal/runtimehandlerhooks/high_performance_hooks_linux.go, pkg/annotations',
  judge(host) {
    const { used, allowed } = crioAnnotations(host);
    if (used.length === 0 && allowed.length === 0) return [];
    const isRunning = host
      .names('/proc')
      .some((entry) => /^\d+$/.test(entry) && host.read(`/proc/${entry}/comm`) === 'crio');
    if (used.length === 0 && !isRunning)
      return [wellRead('CRI-O may set CPUs by annotations, and does not run')];
    return [
      {
        read:
          used.length > 0
            ? `pods here have CRI-O set their CPUs: ${used.join(', ')}`
            : `CRI-O runs here and lets pods have it set their CPUs: ${allowed.join(', ')}`,
        cure: 'Give pods and the domain’s DPDK vCPUs other CPUs (kubelet: reservedSystemCPUs), or set the same by annotation only; vmcall tune apply again after pods came or went.',
        undo: 'Nothing was set.',
      },
    ];
  },
};
