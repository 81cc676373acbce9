// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { findings } from '../../../host-agent/tuning/check.js';
import type { Finding } from '../../../host-agent/tuning/checks/finding.js';
import { resolveTarget } from '../../../host-agent/tuning/target.js';
import { tuneCommand } from '../../../src/cli/tune.js';
import { VmcallError } from '../../../src/support/errors.js';
import { commandOf, lacks, runOn } from './cures.js';
import { look } from './look.js';
import { randomHost } from './random-host.js';
import { type Change, changed, recordedHost, systemAt, unpack } from './recorded-host.js';
import { snapshot } from './snapshot.js';
import { TreeHost } from './tree-host.js';

let root: string | undefined;
afterEach(() => {
  if (root) rmSync(root, { recursive: true, force: true });
  root = undefined;
  process.exitCode = undefined;
});

function host(name: string, change: Change = {}) {
  root = mkdtempSync(join(tmpdir(), 'vmcall-cures-'));
  unpack(changed(name, change), root);
  return { root, system: systemAt(root) };
}

/** What a finding that is not well lacks for whoever reads it. */
function lacking({ code, severity, why, source, todo, undo }: Finding): string[] {
  if (severity === 'ok') return [];
  const parts = { why, source, cure: todo, undo };
  return Object.entries(parts).flatMap(([part, text]) => {
    const lack = text === null ? 'all of it' : part === 'cure' || part === 'undo' ? lacks(text) : null;
    return lack === null ? [] : [`${code}: its ${part} lacks ${lack}: ${text}`];
  });
}

const domains: Readonly<Record<string, string>> = {
  'amd-rt': 'router',
  'fit-host-variant-driver': 'router',
  'fit-host-virtio-only': 'router',
  'nova-dedicated-no-isolcpus': 'instance-0000000a',
  'nova-realtime-mask': 'instance-0000000a',
  'proxmox-kvm': 'upf-1',
  'domain-name-is-a-pid': '2000',
};
const recorded = readdirSync(join(import.meta.dirname, 'hosts')).map((file) => file.replace('.json', ''));

describe('every finding has reason, source, a cure that runs as it stands, and what takes that back', () => {
  test.each(recorded)('on %s', async (name) => {
    const { system } = host(name);
    const domain = domains[name] ?? 'dpdk0';
    const isThere = (await system.domains.find(domain)) !== null;
    for (const one of [null, ...(isThere ? [domain] : [])])
      expect((await look(system, one, one === null ? { cpus: [3] } : {})).found.flatMap(lacking)).toEqual([]);
  });

  test('on random hosts', async () => {
    const found = new Set<string>();
    const codes = new Set<string>();
    for (let seed = 1; seed <= 150; seed++) {
      const { tree, vms } = randomHost(seed);
      const tried = new TreeHost(tree);
      try {
        const domain = await tried.domains.find(vms[0]?.uuid ?? vms[0]?.name ?? '');
        const request = { domain, pins: new Map(), nics: new Map(), cpus: [], maxExitLatency: null };
        const all = findings({ host: tried, domains: tried.domains }, await resolveTarget(tried, request));
        for (const one of all) {
          if (one.severity !== 'ok') codes.add(one.code);
          for (const lack of lacking(one)) found.add(lack);
        }
      } catch (error) {
        if (!(error instanceof VmcallError)) throw error;
      }
    }
    expect([...found]).toEqual([]);
    expect(codes.size).toBeGreaterThan(15);
  });
});

/** Hosts with something that a command cures. */
const curable: [code: string, name: string, domain: string, change: Change][] = [
  [
    'other-interrupts',
    'xeon-rt',
    'dpdk0',
    { files: { '/proc/irq/16/smp_affinity_list': '4-6', '/proc/irq/16/effective_affinity_list': '6' } },
  ],
  [
    'iothread-on-dpdk-cpu',
    'xeon-rt',
    'dpdk0',
    { threads: { '2000/task/2014': ['IO iothread1', 'other', '6'] } },
  ],
  ['vhost-on-dpdk-cpu', 'xeon-rt', 'dpdk0', { threads: { '950': ['vhost-2000', 'other', '5-6'] } }],
  [
    'priority-inversion',
    'xeon-rt',
    'dpdk0',
    {
      threads: {
        '901': ['irq/45-vfio-msix[0](0000:81:00.0)', 'fifo:1', '0-7'],
        '902': ['irq/46-vfio-msix[1](0000:81:00.0)', 'fifo:1', '0-7'],
        '2000/task/2011': ['CPU 1/KVM', 'fifo:1', '6'],
      },
    },
  ],
  [
    'smt',
    'xeon-rt',
    'dpdk0',
    {
      files: {
        '/sys/devices/system/cpu/smt/active': '1',
        '/sys/devices/system/cpu/cpu6/topology/thread_siblings_list': '5-6',
        '/sys/devices/system/cpu/cpu5/online': '1',
      },
      threads: {
        '2000': ['qemu-system-x86', 'other', '4'],
        '2000/task/2010': ['CPU 0/KVM', 'other', '4'],
        '2000/task/2012': ['IO mon_iothread', 'other', '4'],
        '2000/task/2013': ['worker', 'other', '4'],
      },
    },
  ],
  ['ksm', 'xeon-rt', 'dpdk0', { files: { '/sys/kernel/mm/ksm/run': '1' } }],
  ['irqbalance', 'xeon-rt', 'dpdk0', { threads: { '700': ['irqbalance', 'other', '0-7'] } }],
  [
    'isolcpus',
    'nova-dedicated-no-isolcpus',
    'instance-0000000a',
    {
      files: {
        '/sys/fs/cgroup/machine.slice/cpuset.cpus.partition': 'root',
        '/sys/fs/cgroup/machine.slice/cpuset.cpus.effective': '2-7',
      },
    },
  ],
];

describe('a command that cures', () => {
  test.each(curable)(
    '%s on %s makes it go, and its undo brings it back',
    async (code, name, domain, change) => {
      const { root: tree, system } = host(name, change);
      const told = (await look(system, domain)).found.filter(
        (one) => one.code === code && one.severity !== 'ok',
      );
      expect(told.length).toBeGreaterThan(0);
      const before = snapshot(tree);
      for (const { todo } of told) runOn(tree, commandOf(todo ?? '') ?? 'false');
      // The kernel's own answer to a new affinity, and to a CPU that is off line.
      if (code === 'other-interrupts')
        system.host.write(
          '/proc/irq/16/effective_affinity_list',
          system.host.read('/proc/irq/16/smp_affinity_list') ?? '',
        );
      if (code === 'smt') system.host.write('/sys/devices/system/cpu/online', '0-4,6-7');
      const again = (await look(system, domain)).found.filter(
        (one) => one.code === code && one.severity !== 'ok',
      );
      expect(again.map(({ read }) => read)).toEqual([]);
      if (code === 'irqbalance') return;
      for (const { undo } of told) runOn(tree, commandOf(undo ?? '') ?? 'false');
      if (code === 'other-interrupts') system.host.write('/proc/irq/16/effective_affinity_list', '6');
      if (code === 'smt') system.host.write('/sys/devices/system/cpu/online', '0-7');
      expect(snapshot(tree)).toMatchObject(before);
    },
  );

  test.each(recorded.filter((name) => !/^(vm|xeon-stock)$/.test(name)))(
    'vmcall tune apply on %s is run as it is told, and nothing that it can set is told any more',
    async (name) => {
      const { root: tree, system } = host(name);
      const { found } = await look(system, domains[name] ?? 'dpdk0');
      const cures = new Set(
        found.flatMap(({ todo }) =>
          todo?.startsWith('vmcall tune apply') ? [todo.split('  #')[0] ?? ''] : [],
        ),
      );
      const spies = [process.stdout, process.stderr].map((stream) =>
        vi.spyOn(stream, 'write').mockImplementation(() => true),
      );
      try {
        for (const cure of cures) {
          const words = cure.split(' ').slice(2);
          await tuneCommand(() => system).parseAsync([...words, '--state', join(tree, 'state')], {
            from: 'user',
          });
        }
      } finally {
        for (const spy of spies) spy.mockRestore();
      }
      const left = (await look(system, domains[name] ?? 'dpdk0')).found.filter(({ todo }) =>
        todo?.startsWith('vmcall tune apply'),
      );
      expect(left.map(({ code, read }) => `${code}: ${read}`)).toEqual([]);
    },
  );
});

test('a shell takes the name of a domain as it is', async () => {
  const cmdline = ['/usr/bin/kvm', '-name', "it's a, b"].join('\0').replace('a, b', 'a,, b');
  const { system } = host('xeon-rt', { files: { '/proc/2000/cmdline': `${cmdline}\0` } });
  expect((await look(system, "it's a, b")).target.apply).toBe(`vmcall tune apply 'it'\\''s a, b'`);
  expect(recordedHost('xeon-rt').about).not.toBe('');
});
