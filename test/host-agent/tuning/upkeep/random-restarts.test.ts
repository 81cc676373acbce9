// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Kept } from '../../../../host-agent/tuning/upkeep/kept.js';
import { setAgain } from '../../../../host-agent/tuning/upkeep/set-again.js';
import { seededRandom } from '../../../../src/statistics/random.js';
import { VmcallError } from '../../../../src/support/errors.js';
import { randomHost } from '../random-host.js';
import { TreeHost } from '../tree-host.js';

const count = Number(process.env.VMCALL_RANDOM_HOSTS ?? 300);
const memory = '/dev/shm';
const state = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'vmcall-restarts-'));
afterAll(() => rmSync(state, { recursive: true, force: true }));

/** For each vector in turn the CPU of its queue: vector 0 is for events, and goes to the first's. */
const cpuOf = (cpus: readonly number[], vector: number) => cpus[Math.max(0, vector - 1) % cpus.length];

interface Tried {
  seed: number;
  nics: number;
  vectors: number;
  wrong: string[];
  /** A question is open. */
  refused: boolean;
  /** What was done to the host after the restart. */
  deeds: number;
}

/** A VM with several NICs and DPDK vCPUs, each said; then its drivers ask for other interrupts, as many as they like. */
async function restart(seed: number): Promise<Tried | null> {
  const { tree, vms, online } = randomHost(seed);
  const random = seededRandom(seed + 1_000_000);
  const host = new TreeHost(tree);
  const [vm] = vms;
  const nics = vm?.held.filter(({ isNic }) => isNic) ?? [];
  const pinned = [...(vm?.vcpus.entries() ?? [])].filter(([, { cpus }]) => cpus.length === 1);
  if (!vm || nics.length === 0 || pinned.length === 0) return null;
  const cpus = [...new Set(pinned.map(([, { cpus }]) => cpus[0] ?? 0))];
  const of = new Map(
    nics.map(({ address }) => [
      address,
      Array.from({ length: 1 + random.index(4) }, () => cpus[random.index(cpus.length)] ?? 0),
    ]),
  );
  const kept: Kept = {
    format: 'vmcall-tuning-kept',
    version: 1,
    made: '2026-11-29T08:00:00.000Z',
    domain: { name: vm.name, uuid: vm.uuid },
    connect: null,
    pins: pinned.map(([vcpu, { cpus }]) => [vcpu, cpus[0] ?? 0]),
    nics: [...of],
    cpus: [],
    max_exit_latency_us: null,
    hardirq: true,
  };
  const system = { host, domains: host.domains };
  const tried: Tried = { seed, nics: nics.length, vectors: 0, wrong: [], refused: false, deeds: 0 };
  const look = () => setAgain(system, join(state, String(seed)), kept, () => false);
  try {
    const { target } = await look();
    tried.refused = (target?.undecided.length ?? 1) > 0;
    let irq = 500;
    const now: { irq: number; vector: number; address: string }[] = [];
    for (const { address } of nics) {
      const folder = `/sys/bus/pci/devices/${address}/msi_irqs`;
      for (const old of host.names(folder)) host.put(`${folder}/${old}`, null);
      for (let vector = 0, vectors = 1 + random.index(5); vector < vectors; vector++, irq++) {
        host.put(`${folder}/${irq}`, 'msix');
        host.put(`/proc/irq/${irq}/smp_affinity_list`, `0-${online.length - 1}`);
        host.put(`/sys/kernel/irq/${irq}/actions`, `vfio-msix[${vector}](${address})`);
        now.push({ irq, vector, address });
      }
    }
    const before = host.deeds.length;
    await look();
    tried.deeds = host.deeds.length - before;
    tried.vectors = now.length;
    for (const { irq, vector, address } of now) {
      const [is, wanted] = [
        host.read(`/proc/irq/${irq}/smp_affinity_list`),
        cpuOf(of.get(address) ?? [], vector),
      ];
      if (is !== String(wanted)) tried.wrong.push(`${address} vector ${vector} is on ${is}, not ${wanted}`);
    }
    return tried;
  } catch (error) {
    if (error instanceof VmcallError && error.code === 'DOMAIN_AMBIGUOUS') return null;
    throw error;
  }
}

test('each vector of each function has its CPU again, whatever begins anew', async () => {
  const all = await Promise.all(Array.from({ length: count }, (_, at) => restart(at + 1)));
  const tried = all.filter((one) => one !== null);
  const settled = tried.filter(({ refused }) => !refused);
  expect(settled.flatMap(({ seed, wrong }) => wrong.map((what) => `${seed}: ${what}`))).toEqual([]);
  // Where a question is open nothing is set.
  expect(tried.filter(({ refused, deeds }) => refused && deeds > 0)).toEqual([]);
  expect(tried.length).toBeGreaterThan(settled.length);
  expect(settled.length).toBeGreaterThan(count * 0.05);
  expect(settled.filter(({ nics, vectors }) => nics > 1 && vectors > 3).length).toBeGreaterThan(2);
});
