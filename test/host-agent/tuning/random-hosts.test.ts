// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseScheduling, schedulingRank } from '../../../host-agent/host/scheduling.js';
import { checkExitCode, findings } from '../../../host-agent/tuning/check.js';
import { contains, overlap, parseCpus } from '../../../host-agent/tuning/cpu-set.js';
import { resolveTarget, type Target } from '../../../host-agent/tuning/target.js';
import { apply, openJournal, planTuning, restore } from '../../../host-agent/tuning/tune.js';
import { VmcallError } from '../../../src/support/errors.js';
import { type RandomHost, randomHost } from './random-host.js';
import { type Deed, TreeHost } from './tree-host.js';

/** VMCALL_RANDOM_HOSTS=N: so many more. */
const count = Number(process.env.VMCALL_RANDOM_HOSTS ?? 400);
const first = Number(process.env.VMCALL_RANDOM_SEED ?? 1);

/** The record is synced before each change: to memory that costs nothing. */
const memory = '/dev/shm';
const state = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'vmcall-random-'));
afterAll(() => rmSync(state, { recursive: true, force: true }));

interface Tried {
  random: RandomHost;
  vm: RandomHost['vms'][number];
  host: TreeHost;
  target: Target;
  fit: boolean;
  deeds: Deed[];
  before: Record<string, string>;
  applied: Record<string, string>;
  again: number;
  failed: string[];
  restored: Record<string, string>;
}

/** `vmcall check`, `tune apply`, `apply` and `restore` for the first VM of a random host; null where its name means two. */
async function tryOne(seed: number): Promise<Tried | null> {
  const random = randomHost(seed);
  const host = new TreeHost(random.tree);
  const system = { host, domains: host.domains };
  const [vm] = random.vms;
  if (!vm) throw new Error('no VM');
  let domain: Awaited<ReturnType<typeof system.domains.find>>;
  try {
    domain = await system.domains.find(vm.uuid ?? vm.name);
  } catch (error) {
    if (error instanceof VmcallError && error.code === 'DOMAIN_AMBIGUOUS') return null;
    throw error;
  }
  const request = { domain, pins: new Map(), nics: new Map(), cpus: [], maxExitLatency: null };
  const target = await resolveTarget(host, request);
  const fit = checkExitCode(findings(system, target)) === 0;
  const before = host.snapshot();
  const journal = openJournal(host, join(state, String(seed)));
  const { failed } = await apply(system, journal, planTuning(system, target));
  const deeds = [...host.deeds];
  const applied = host.snapshot();
  const again = planTuning(system, await resolveTarget(host, request)).length;
  await restore(system, journal, false);
  journal.close();
  const restored = host.snapshot();
  return {
    random,
    vm,
    host,
    target,
    fit,
    deeds,
    before,
    applied,
    again,
    failed: failed.map(({ knob, place, what }) => `${knob} ${place}: ${what}`),
    restored,
  };
}

const seeds = Array.from({ length: count }, (_, at) => first + at);
const tried = (await Promise.all(seeds.map(tryOne))).filter((one) => one !== null);

/** The seeds of the hosts for which it does not hold: `VMCALL_RANDOM_SEED=N VMCALL_RANDOM_HOSTS=1` runs one alone. */
const broken = (holds: (one: Tried) => boolean) =>
  tried.filter((one) => !holds(one)).map(({ random }) => random.seed);

const nicThreads = ({ held }: RandomHost['vms'][number]) =>
  held.filter(({ isNic }) => isNic).flatMap(({ irqs }) => irqs.flatMap(({ thread }) => thread ?? []));
const rank = (scheduling: string) => schedulingRank(parseScheduling(scheduling));
/** Of a worker that a pinned vCPU started. */
const isInherited = ({ vcpus, others }: RandomHost['vms'][number], thread: number, cpus: readonly number[]) =>
  others.some((one) => one.thread === thread && one.name === 'worker') &&
  vcpus.some((vcpu) => vcpu.cpus.length === 1 && String(vcpu.cpus) === String(cpus));
const written = (deeds: readonly Deed[], path: string) =>
  deeds.some((deed) => deed.what === 'write' && deed.path === path && deed.value !== '950000');
const unthrottled = ({ deeds }: Tried) => written(deeds, '/proc/sys/kernel/sched_rt_runtime_us');

/** As it is once applied. */
const scheduling = ({ deeds }: Tried, { thread, scheduling }: RandomHost['vms'][number]['vcpus'][number]) =>
  deeds.find(
    (deed): deed is Deed & { what: 'scheduling' } => deed.what === 'scheduling' && deed.thread === thread,
  ) ?? { scheduling };

describe(`on ${count} hosts that nobody made up`, () => {
  test('they are of every kind', () => {
    expect(tried.length).toBeGreaterThan(count * 0.7);
    for (const kind of [
      tried.filter(unthrottled),
      tried.filter(({ target }) => target.undecided.length > 0),
      tried.filter(({ deeds }) => deeds.length > 0),
      tried.filter(({ deeds }) => deeds.some(({ what }) => what === 'scheduling')),
    ])
      expect(kind.length).toBeGreaterThan(count * 0.02);
  });

  test('a word finds its own VM and no other', () => {
    expect(broken(({ target, vm }) => target.facts?.pid === vm.pid)).toEqual([]);
  });

  test('no thread of another VM, or of none, is touched', () => {
    expect(
      broken(({ deeds, vm }) => {
        const own = [...vm.vcpus, ...vm.others].map(({ thread }) => thread);
        return deeds.every((deed) => deed.what === 'write' || own.includes(deed.thread));
      }),
    ).toEqual([]);
  });

  test('no interrupt is moved but those of a NIC that the VM holds, and no other VM’s switch is written', () => {
    expect(
      broken(({ deeds, vm }) => {
        const irqs = vm.held.filter(({ isNic }) => isNic).flatMap((one) => one.irqs.map(({ irq }) => irq));
        return deeds.every((deed) => {
          if (deed.what !== 'write') return true;
          const irq = /^\/proc\/irq\/(\d+)\//.exec(deed.path)?.[1];
          const pid = /^\/sys\/kernel\/kvm\/(\d+)-/.exec(deed.path)?.[1];
          return (
            (irq === undefined || irqs.includes(Number(irq))) && (pid === undefined || Number(pid) === vm.pid)
          );
        });
      }),
    ).toEqual([]);
  });

  test('no pinned vCPU is moved, and no thread with CPUs of its own', () => {
    expect(
      broken(({ deeds, vm }) => {
        const [main] = vm.others;
        const kept = [
          ...vm.vcpus.filter(({ cpus }) => cpus.length === 1),
          ...vm.others.filter(
            ({ cpus, thread }) => String(cpus) !== String(main?.cpus) && !isInherited(vm, thread, cpus),
          ),
        ].map(({ thread }) => thread);
        return deeds.every((deed) => deed.what !== 'affinity' || !kept.includes(deed.thread));
      }),
    ).toEqual([]);
  });

  test('QEMU goes to no CPU that is kept apart, that DPDK has, or that another’s vCPU or a polling thread has alone', () => {
    expect(
      broken(({ deeds, vm, random, target }) => {
        const theirs = random.vms
          .filter((other) => other.pid !== vm.pid)
          .flatMap((other) =>
            other.vcpus.filter(({ cpus }) => cpus.length === 1).flatMap(({ cpus }) => cpus),
          );
        const forbidden = [...random.apart, ...target.cpus, ...theirs, ...random.polled];
        const own = vm.others.map(({ thread }) => thread);
        return deeds.every(
          (deed) =>
            deed.what !== 'affinity' ||
            !own.includes(deed.thread) ||
            overlap(parseCpus(deed.cpus), forbidden).length === 0,
        );
      }),
    ).toEqual([]);
  });

  test('no vCPU 0 becomes real-time, and none that was left ordinary beside a real-time one', () => {
    expect(
      broken(({ deeds, vm }) => {
        const chosen = vm.vcpus.some(({ scheduling }) => /^(fifo|rr)/.test(scheduling));
        return vm.vcpus.every(({ thread, scheduling }, vcpu) => {
          const made = deeds.some((deed) => deed.what === 'scheduling' && deed.thread === thread);
          return !made || scheduling !== 'other' || (vcpu !== 0 && !chosen);
        });
      }),
    ).toEqual([]);
  });

  test('no vCPU is put at or above a thread of the VM’s NICs', () => {
    expect(
      broken(({ deeds, vm }) => {
        const least = Math.min(100, ...nicThreads(vm).map(rank));
        return deeds.every((deed) => deed.what !== 'scheduling' || rank(deed.scheduling) < least);
      }),
    ).toEqual([]);
  });

  test('throttling goes only where all is known, and nothing starves for it', () => {
    expect(
      broken((one) => {
        if (!unthrottled(one)) return true;
        const { vm, target, random } = one;
        const least = Math.min(100, ...nicThreads(vm).map(rank));
        const stands = vm.vcpus.every((vcpu) => rank(scheduling(one, vcpu).scheduling) < least);
        const others = random.vms.filter(({ pid }) => pid !== vm.pid);
        const strangers = others
          .flatMap(({ vcpus }) => vcpus)
          .filter(({ cpus }) => cpus.length < random.online.length);
        const alone = strangers.every(({ cpus }) => overlap(cpus, target.cpus).length === 0);
        // An ordinary thread that may run nowhere else would never run again.
        const locked = random.vms.flatMap(({ others, vcpus }) => [
          ...others,
          ...vcpus.filter(({ scheduling }) => scheduling === 'other'),
        ]);
        const free = locked.every(({ cpus, thread }) => {
          const isDpdk = target.dpdk.some(({ vcpu }) => vm.vcpus[vcpu ?? -1]?.thread === thread);
          const main = vm.others.find((other) => other.thread === vm.pid);
          const follows =
            vm.others.some((other) => other.thread === thread && !other.name.startsWith('IO ')) &&
            overlap(main?.cpus ?? [], target.cpus).length > 0 &&
            (String(cpus) === String(main?.cpus) || isInherited(vm, thread, cpus));
          return isDpdk || follows || !contains(target.cpus, cpus);
        });
        // The limit is the whole host's: another VM's vCPU may stand above its own NIC's thread.
        const theirs = others.every((other) => {
          const theirLeast = Math.min(Number.POSITIVE_INFINITY, ...nicThreads(other).map(rank));
          return other.vcpus.every(
            (vcpu) => rank(vcpu.scheduling) === 0 || rank(vcpu.scheduling) < theirLeast,
          );
        });
        return (
          target.undecided.length === 0 &&
          vm.held.some(({ isNic }) => isNic) &&
          target.dpdk.length > 0 &&
          stands &&
          alone &&
          free &&
          theirs
        );
      }),
    ).toEqual([]);
  });

  test('while a question is open no vCPU’s scheduling is set, and throttling stays', () => {
    expect(
      broken(
        (one) =>
          one.target.undecided.length === 0 ||
          (!unthrottled(one) && one.deeds.every(({ what }) => what !== 'scheduling')),
      ),
    ).toEqual([]);
  });

  test('without a NIC it is not fit', () => {
    expect(broken(({ fit, vm }) => !fit || vm.held.some(({ isNic }) => isNic))).toEqual([]);
  });

  test('the NICs that are judged are held', () => {
    expect(
      broken(({ target, vm }) =>
        target.nics.every(({ address }) => vm.held.some((one) => one.address === address && one.isNic)),
      ),
    ).toEqual([]);
  });

  test('applied once, nothing is left to do', () => {
    expect(broken(({ again, failed }) => failed.length > 0 || again === 0)).toEqual([]);
    // A place is named by its domain: what two are called is not set.
    const refusal = /" may be ".*\) or "|it does harm without/;
    expect(broken(({ failed }) => failed.every((why) => refusal.test(why)))).toEqual([]);
  });

  test('restored, the host is as it was', () => {
    expect(
      broken(({ before, restored, vm }) => {
        // A worker that a vCPU started goes back to where the emulator was.
        const workers = vm.others
          .filter(({ thread, cpus }) => isInherited(vm, thread, cpus))
          .map(({ thread }) => `/proc/${vm.pid}/task/${thread}/status`);
        return Object.keys(before).every((path) => workers.includes(path) || before[path] === restored[path]);
      }),
    ).toEqual([]);
  });
});
