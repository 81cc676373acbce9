// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkIdle } from '../../../host-agent/tuning/checks/idle.js';
import { judge } from '../../../host-agent/tuning/rules/rule.js';
import { rules } from '../../../host-agent/tuning/rules/rules.js';
import type { Target } from '../../../host-agent/tuning/target.js';
import { canRun, commandOf, lacks, runOn } from './cures.js';
import { memoryHost, type Tree } from './memory-host.js';
import { systemAt, unpack } from './recorded-host.js';
import { clockCases } from './rule-cases/clock.js';
import { interruptsCases } from './rule-cases/interrupts.js';
import { kernelWorkCases } from './rule-cases/kernel-work.js';
import { modulesCases } from './rule-cases/modules.js';
import { platformCases } from './rule-cases/platform.js';
import { powerCases } from './rule-cases/power.js';
import { frequency, latency, nic, node, states } from './rule-cases/trees.js';
import { snapshot } from './snapshot.js';

const other = { policy: 'other', priority: 0 } as const;
const fifo = { policy: 'fifo', priority: 10 } as const;

function targetWith(scheduling: typeof other | typeof fifo, domain = true): Target {
  const vcpus = [{ vcpu: 1, thread: 2011, cpus: '6', scheduling }];
  const facts = {
    name: 'dpdk0',
    uuid: null,
    pid: 2000,
    vcpus,
    emulatorCpus: '0-1',
    ownCpus: [],
    cpuset: null,
  };
  return {
    domain: null,
    dpdk: [{ vcpu: 1, cpu: 6 }],
    cpus: [6],
    housekeeping: [0, 1],
    online: [0, 1, 6, 7],
    apart: [6, 7],
    neighbours: [],
    nics: [{ address: nic, cpus: [6] }],
    maxExitLatency: null,
    apply: 'vmcall tune apply dpdk0',
    undecided: [],
    facts: domain ? { ...facts, hostdevs: [nic], doubtful: [], mediated: [] } : null,
  };
}

const look = (tree: Tree, target = targetWith(fifo)) => judge(rules, memoryHost(tree), target);

describe.each([
  ...modulesCases,
  ...powerCases,
  ...kernelWorkCases,
  ...clockCases,
  ...interruptsCases,
  ...platformCases,
])('%s', (code, severity, bad, good, cure) => {
  test('is reported with its reason, source, fix and undo where it is so, and not where it is not', () => {
    const found = look(bad).filter((finding) => finding.code === code);
    expect(found).toMatchObject([{ severity, todo: expect.stringMatching(cure) }]);
    for (const { why, source, todo, undo } of found) {
      for (const text of [why, source, todo, undo]) expect(text).toMatch(/.{5}/);
      for (const text of [todo, undo]) expect([text, lacks(text ?? '')]).toEqual([text, null]);
    }
    for (const finding of look(good)) if (finding.code === code) expect(finding.severity).toBe('ok');
  });

  test('is gone once its cure has run as it stands, and back by the undo', () => {
    const { todo, undo } = look(bad).find((finding) => finding.code === code) ?? {};
    const [doing, undoing] = [todo, undo].map((text) => commandOf(text ?? ''));
    // What vmcall itself sets is tried with it; packages and words are for a person.
    if (doing == null || undoing == null || ![doing, undoing].every(canRun)) return;
    // The kernel itself takes a livepatch's folder away.
    if (code === 'livepatch') return;
    const root = mkdtempSync(join(tmpdir(), 'vmcall-cure-'));
    try {
      const { files = {}, links = {}, log = '' } = bad;
      const host = { about: '', sources: [''], threads: {}, links, files: { ...files, '/dmesg': log } };
      unpack(host, root);
      const onTree = () =>
        judge(rules, systemAt(root).host, targetWith(fifo)).filter((one) => one.code === code);
      const told = onTree();
      const before = snapshot(root);
      runOn(root, doing);
      expect(onTree().map(({ severity }) => severity)).not.toContain(severity);
      runOn(root, undoing);
      expect(onTree()).toEqual(told);
      // The kernel says what was written in words of its own there.
      if (!/^modprobe|soft_moderation/.test(undoing)) expect(snapshot(root)).toMatchObject(before);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});

test('a host with none of these files has nothing said against it', () => {
  expect(look({}).filter(({ severity }) => severity !== 'ok')).toEqual([]);
});

test('an ordinary vCPU under schedutil is shown its own clamp', () => {
  const tree = { files: { [`${frequency}/scaling_governor`]: 'schedutil' } };
  const [found] = look(tree, targetWith(other)).filter(({ code }) => code === 'uclamp');
  expect(found?.todo).toContain('uclampset -m 1024 -p 2011');
  expect(found?.undo).toBe('uclampset -m 0 -p 2011');
});

test('without a domain the pools beside each NIC are judged, by size', () => {
  const pools = (count: string) => ({
    files: {
      ...node,
      '/sys/devices/system/node/node1/hugepages/hugepages-1048576kB/nr_hugepages': count,
      '/sys/devices/system/node/node1/hugepages/hugepages-1048576kB/free_hugepages': count,
    },
  });
  const judged = (count: string) =>
    look(pools(count), targetWith(fifo, false)).find(({ code }) => code === 'hugepage-pools');
  expect(judged('0')).toMatchObject({
    severity: 'warn',
    todo: expect.stringContaining('Boot with hugepagesz=1G hugepages=1:8'),
  });
  expect(judged('8')).toMatchObject({ severity: 'ok', read: 'node 1: 8 pages of 1 GiB, 8 free' });
});

test('who holds the host-wide limit is named', () => {
  const host = memoryHost({
    files: { ...states, '/dev/cpu_dma_latency': latency(2), '/proc/703/comm': 'tuned' },
    links: { '/proc/703/fd/9': '/dev/cpu_dma_latency' },
  });
  const found = checkIdle(host, targetWith(fifo)).find(({ code }) => code === 'cpu-dma-latency');
  expect(found).toMatchObject({
    severity: 'ok',
    read: '/dev/cpu_dma_latency is held at 2 us by tuned (process 703)',
  });
});
