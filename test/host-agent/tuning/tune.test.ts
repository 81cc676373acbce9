// SPDX-License-Identifier: Apache-2.0
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readThread } from '../../../host-agent/host/thread.js';
import type { HostSystem } from '../../../host-agent/tuning/knob.js';
import type { TuneRequest } from '../../../host-agent/tuning/request.js';
import { resolveTarget } from '../../../host-agent/tuning/target.js';
import { apply, openJournal, planTuning, restore } from '../../../host-agent/tuning/tune.js';
import { recordedHost, systemAt, unpack } from './recorded-host.js';
import { snapshot } from './snapshot.js';

let folder: string;
let root: string;
let state: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmcall-tune-'));
  root = join(folder, 'host');
  state = join(folder, 'state');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function host(name: string): HostSystem {
  unpack(recordedHost(name), root);
  return systemAt(root);
}

async function target(system: HostSystem, domain: string | null, request: Partial<TuneRequest> = {}) {
  return resolveTarget(system.host, {
    domain: domain === null ? null : await system.domains.find(domain),
    pins: new Map(),
    nics: new Map(),
    cpus: [],
    maxExitLatency: null,
    ...request,
  });
}

async function tune(system: HostSystem, domain: string | null, request: Partial<TuneRequest> = {}) {
  const differences = planTuning(system, await target(system, domain, request));
  const journal = openJournal(system.host, state);
  return apply(system, journal, differences).finally(() => journal.close());
}

async function undo(system: HostSystem, force = false) {
  const journal = openJournal(system.host, state);
  return restore(system, journal, force).finally(() => journal.close());
}

const brief = (changes: readonly { knob: string; place: string; now: string; wanted: string }[]) =>
  changes.map(({ knob, place, now, wanted }) => `${knob} ${place}: ${now} -> ${wanted}`);

const haltPoll = '/sys/module/kvm/parameters/halt_poll_ns';
const fairServer = (cpu: number) => `/sys/kernel/debug/sched/fair_server/cpu${cpu}/runtime`;
const resumeLatency = (cpu: number) => `/sys/devices/system/cpu/cpu${cpu}/power/pm_qos_resume_latency_us`;

describe('the plan', () => {
  test('of an untuned RT host names each difference', async () => {
    const system = host('xeon-rt');
    expect(brief(planTuning(system, await target(system, 'dpdk0')))).toEqual([
      'emulator-pin dpdk0/emulator: 4-7 -> 0-1,4-5',
      'irq-affinity 0000:81:00.0/irq/45: 0-7 -> 6',
      'irq-affinity 0000:81:00.0/irq/46: 0-7 -> 6',
      `resume-latency ${resumeLatency(6)}: 0 -> 2`,
      `halt-poll ${haltPoll}: 200000 -> 0`,
      'vfio-hardirq /sys/kernel/kvm/2000-14/irqfd_hardirq: 0 -> 1',
      'vcpu-scheduler dpdk0/vcpu/1: fifo:60 -> fifo:10',
      'rt-throttling /proc/sys/kernel/sched_rt_runtime_us: 950000 -> -1',
    ]);
  });

  test('takes the fair server off the DPDK CPUs, on a kernel that has one', async () => {
    const system = host('xeon-rt');
    for (const cpu of [5, 6]) {
      mkdirSync(join(root, dirname(fairServer(cpu))), { recursive: true });
      writeFileSync(join(root, fairServer(cpu)), '50000000\n');
    }
    const lines = brief(planTuning(system, await target(system, 'dpdk0')));
    expect(lines.filter((line) => line.includes('fair_server'))).toEqual([
      `rt-throttling ${fairServer(6)}: 50000000 -> 0`,
    ]);
  });

  test('is empty on a host that is tuned', async () => {
    const system = host('amd-rt');
    expect(planTuning(system, await target(system, 'router'))).toEqual([]);
  });

  test('pins a vCPU only where it is asked to, and switches throttling off', async () => {
    const system = host('xeon-stock');
    const unpinned = await target(system, 'web1');
    expect(unpinned.undecided.map(({ code }) => code)).toEqual(['vcpu-not-pinned']);
    expect(brief(planTuning(system, unpinned)).filter((line) => /pin|irq|resume/.test(line))).toEqual([]);
    const told = await target(system, 'web1', {
      pins: new Map([[1, 5]]),
      nics: new Map([
        ['0000:18:00.0', null],
        ['0000:18:00.1', 4],
      ]),
    });
    expect(brief(planTuning(system, told))).toEqual([
      'emulator-pin web1/emulator: 0-7 -> 0-4,6-7',
      'vcpu-pin web1/vcpu/1: 0-7 -> 5',
      'irq-affinity 0000:18:00.0/irq/60: 0-7 -> 5',
      'irq-affinity 0000:18:00.1/irq/70: 0-7 -> 4',
      'interrupt-throttling eth1: rx-usecs 1 -> rx-usecs 0',
      `resume-latency ${resumeLatency(5)}: 0 -> 2`,
      `halt-poll ${haltPoll}: 200000 -> 0`,
      'vcpu-scheduler web1/vcpu/1: other -> fifo:10',
      'rt-throttling /proc/sys/kernel/sched_rt_runtime_us: 950000 -> -1',
    ]);
  });

  test('never moves a pinned thread', async () => {
    const system = host('xeon-rt');
    const moved = await target(system, 'dpdk0', { pins: new Map([[1, 7]]) });
    expect(moved.undecided.map(({ code }) => code)).toEqual(['vcpu-pinned-elsewhere']);
    expect(moved.cpus).toEqual([6]);
    expect(brief(planTuning(system, moved)).join('\n')).not.toContain('vcpu-pin');
  });

  test('asks which CPU waits for a NIC where several could', async () => {
    const system = host('xeon-rt');
    const several = await target(system, null, { cpus: [6, 7], nics: new Map([['0000:81:00.0', null]]) });
    expect(several.undecided.map(({ code }) => code)).toEqual(['nic-cpu']);
    expect(brief(planTuning(system, several)).join('\n')).not.toContain('irq-affinity');
  });

  test('takes the limit that is asked for, and leaves a tighter one', async () => {
    const system = host('xeon-rt');
    const limit = async (us: number) =>
      planTuning(system, await target(system, 'dpdk0', { maxExitLatency: us })).find(
        (d) => d.knob === 'resume-latency',
      )?.wanted;
    expect(await limit(0)).toBe('n/a');
    expect(await limit(33)).toBe('33');
    expect(await limit(133)).toBeUndefined();
    system.host.write(resumeLatency(6), 'n/a');
    expect(await limit(33)).toBeUndefined();
  });

  test.each([
    ['NO_VCPU', { pins: new Map([[9, 2]]) }],
    ['CPU_OFFLINE', { pins: new Map([[1, 99]]) }],
    ['NO_NIC', { nics: new Map([['0000:ff:00.0', null]]) }],
  ])('%s for a request that names what is not there', async (code, request) => {
    const system = host('xeon-rt');
    await expect(target(system, 'dpdk0', request)).rejects.toMatchObject({ code, exitCode: 2 });
  });
});

describe('apply and restore', () => {
  test('apply makes every difference go, again does nothing, restore brings back every byte', async () => {
    const system = host('xeon-rt');
    const before = snapshot(root);
    const first = await tune(system, 'dpdk0');
    expect(first.failed).toEqual([]);
    expect(first.changed).toHaveLength(8);
    expect(system.host.read('/proc/irq/45/smp_affinity_list')).toBe('6');
    const cpus = (thread: number) => readThread(system.host, `/proc/2000/task/${thread}`)?.cpus;
    expect([2000, 2013].map(cpus)).toEqual(['0-1,4-5', '0-1,4-5']);
    expect([2010, 2011, 2012].map(cpus)).toEqual(['4-5', '6', '4-7']);
    const tuned = snapshot(root);
    expect(await tune(system, 'dpdk0')).toEqual({ changed: [], failed: [] });
    expect(snapshot(root)).toEqual(tuned);
    const outcome = await undo(system);
    expect(outcome.refused).toEqual([]);
    expect(outcome.restored).toHaveLength(8);
    expect(snapshot(root)).toEqual(before);
    expect(existsSync(join(state, 'tuning.jsonl'))).toBe(false);
    expect((await undo(system)).restored).toEqual([]);
  });

  test('with pinning and throttling, on a host without RT', async () => {
    const system = host('xeon-stock');
    const before = snapshot(root);
    const request = { pins: new Map([[1, 5]]), nics: new Map([['0000:18:00.1', 5]]) };
    expect((await tune(system, 'web1', request)).failed).toEqual([]);
    expect(await tune(system, 'web1', request)).toEqual({ changed: [], failed: [] });
    expect(system.host.coalescing('eth1')?.rxUsecs).toBe(0);
    expect((await undo(system)).refused).toEqual([]);
    expect(snapshot(root)).toEqual(before);
  });

  test('restore names what someone else changed, goes on, and obeys --force', async () => {
    const system = host('xeon-rt');
    const before = snapshot(root);
    await tune(system, 'dpdk0');
    system.host.write('/proc/irq/45/smp_affinity_list', '4');
    const outcome = await undo(system);
    expect(outcome.refused).toMatchObject([{ code: 'TUNING_CHANGED_SINCE', place: '0000:81:00.0/irq/45' }]);
    expect(outcome.restored).toHaveLength(7);
    expect(system.host.read('/proc/irq/45/smp_affinity_list')).toBe('4');
    expect((await undo(system)).refused).toHaveLength(1);
    expect((await undo(system, true)).refused).toEqual([]);
    expect(snapshot(root)).toEqual(before);
  });

  test('an interrupt that now is another device’s is left alone', async () => {
    const system = host('xeon-rt');
    await tune(system, 'dpdk0');
    rmSync(join(root, 'sys/bus/pci/devices/0000:81:00.0/msi_irqs/45'));
    const outcome = await undo(system);
    expect(outcome.settled.map(({ place }) => place)).toEqual(['0000:81:00.0/irq/45']);
    expect(system.host.read('/proc/irq/45/smp_affinity_list')).toBe('6');
  });

  test('a domain that ended has nothing to restore', async () => {
    const system = host('xeon-rt');
    await tune(system, 'dpdk0');
    rmSync(join(root, 'proc/2000'), { recursive: true });
    const outcome = await undo(system);
    expect(outcome.refused).toEqual([]);
    expect(outcome.settled.map(({ place }) => place)).toEqual(['dpdk0/vcpu/1', 'dpdk0/emulator']);
  });

  test('another domain that has its name by now is left alone', async () => {
    const system = host('xeon-rt');
    await tune(system, 'dpdk0');
    const other = 'c2a0f9f6-54a1-4c9d-8a55-0f6c2f1d7e11';
    const words = ['/usr/bin/kvm', '-name', 'guest=dpdk0,debug-threads=on', '-uuid', other];
    writeFileSync(join(root, 'proc/2000/cmdline'), `${words.join('\0')}\0`);
    const tuned = snapshot(root);
    const outcome = await undo(system);
    expect(outcome.refused).toEqual([]);
    expect(outcome.settled.map(({ place }) => place)).toEqual(['dpdk0/vcpu/1', 'dpdk0/emulator']);
    for (const path of ['/proc/2000/task/2011/stat', '/proc/2000/status'])
      expect(snapshot(root)[path]).toBe(tuned[path]);
  });

  test('what was set before a reboot is not set back', async () => {
    const system = host('xeon-rt');
    await tune(system, 'dpdk0');
    system.host.write('/proc/sys/kernel/random/boot_id', 'another');
    const tuned = snapshot(root);
    const outcome = await undo(system);
    expect(outcome.settled).toHaveLength(8);
    expect(snapshot(root)).toEqual(tuned);
  });

  test('one knob that the host refuses is named, the others are set, and restore copes', async () => {
    const system = host('xeon-rt');
    const before = snapshot(root);
    const differences = planTuning(system, await target(system, 'dpdk0'));
    const file = join(root, haltPoll);
    rmSync(file);
    const journal = openJournal(system.host, state);
    const { changed, failed } = await apply(system, journal, differences).finally(() => journal.close());
    expect(failed).toMatchObject([{ knob: 'halt-poll', code: 'HOST_WRITE' }]);
    expect(changed).toHaveLength(7);
    writeFileSync(file, '200000\n');
    const outcome = await undo(system);
    expect(outcome.restored).toHaveLength(7);
    expect(outcome.settled).toEqual([]);
    expect(snapshot(root)).toEqual(before);
  });

  test('a value that the kernel refuses is reported', async () => {
    const system = host('xeon-rt');
    const write = system.host.write.bind(system.host);
    system.host.write = (path, value) => write(path, path === haltPoll ? '17' : value);
    expect((await tune(system, 'dpdk0')).failed).toMatchObject([
      { code: 'TUNING_NOT_TAKEN', knob: 'halt-poll' },
    ]);
  });
});

describe('the record', () => {
  const path = () => join(state, 'tuning.jsonl');

  test('cut off anywhere in its last line restores all the lines before', async () => {
    const system = host('xeon-rt');
    await tune(system, 'dpdk0');
    const whole = readFileSync(path(), 'utf8');
    const lastLine = whole.slice(whole.lastIndexOf('\n', whole.length - 2) + 1);
    for (let cut = 1; cut <= lastLine.length; cut += 7) {
      writeFileSync(path(), whole);
      truncateSync(path(), whole.length - cut);
      const journal = openJournal(system.host, state);
      expect(journal.damaged).toEqual([]);
      expect(journal.pending()).toHaveLength(7);
      journal.record({ knob: 'halt-poll', place: haltPoll, before: '1', after: '2' });
      expect(journal.pending()[0]).toMatchObject({ before: '1' });
      journal.close();
      const again = openJournal(system.host, state);
      expect(again.damaged).toEqual([]);
      expect(again.pending()).toHaveLength(8);
      again.close();
    }
  });

  test('with a damaged line restores the others and is kept aside', async () => {
    const system = host('xeon-rt');
    await tune(system, 'dpdk0');
    const lines = readFileSync(path(), 'utf8').split('\n');
    lines[4] = '{"version":1,"type":"change","id":"five"}';
    writeFileSync(path(), lines.join('\n'));
    const journal = openJournal(system.host, state);
    expect(journal.damaged).toEqual([5]);
    const outcome = await restore(system, journal, false);
    journal.close();
    expect(outcome.restored).toHaveLength(7);
    expect(existsSync(`${path()}.damaged`)).toBe(true);
  });

  test('of a knob that this version does not know is named and kept', async () => {
    const system = host('xeon-rt');
    const journal = openJournal(system.host, state);
    journal.record({ knob: 'warp-drive', place: '/sys/warp', before: '0', after: '9' });
    journal.close();
    expect((await undo(system)).refused).toMatchObject([{ code: 'UNKNOWN_KNOB', knob: 'warp-drive' }]);
    expect(existsSync(path())).toBe(true);
  });

  test('is open to one process at a time', () => {
    const system = host('xeon-rt');
    const journal = openJournal(system.host, state);
    expect(() => openJournal(system.host, state)).toThrow(expect.objectContaining({ code: 'TUNING_BUSY' }));
    journal.close();
    openJournal(system.host, state).close();
  });

  test('does not grow without bound', () => {
    const system = host('xeon-rt');
    const journal = openJournal(system.host, state);
    appendFileSync(path(), '\n'.repeat(9 << 20));
    expect(() => journal.record({ knob: 'halt-poll', place: haltPoll, before: '1', after: '0' })).toThrow(
      expect.objectContaining({ code: 'TUNING_RECORD_FULL' }),
    );
    journal.close();
  });
});
