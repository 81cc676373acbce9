// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { actualPath, decide, planSwitch } from '../../../host-agent/switch/decide.js';
import type { Failure, KvmSeen, Seen } from '../../../host-agent/switch/seen.js';
import type { Step } from '../../../src/control/steps.js';
import type { DesiredPath, Path } from '../../../src/protocol/fields.js';
import type { Health } from '../../../src/protocol/messages.js';

const kvm = (isOn: boolean): KvmSeen => ({
  support: 'present',
  vcpuYield: isOn,
  irqfdHardirq: isOn,
  yields: 7,
});
const without: KvmSeen = { support: 'unsupported', missing: ['vcpu_yield', 'irqfd_hardirq'] };
const nowhere: KvmSeen = { support: 'absent', why: 'there is no process' };

function on(path: Path | null, changes: Partial<Health> = {}): Seen['guest'] {
  const known = { dataplane: 'running', restarts: 0, version: null, idle_threshold_us: 300 } as const;
  const wanted = path ?? 'injected';
  return {
    capable: true,
    kicks: true,
    health: { ...known, wanted, path, upheld: true, reason: null, ...changes },
  };
}
const failed = (step: Step): Failure => ({ step, code: 'WHY', message: 'why' });

const wanted = (path: DesiredPath) => ({ path, source: 'metadata' as const });

function seen(path: DesiredPath, changes: Partial<Seen> = {}): Seen {
  return {
    desired: { path, source: 'metadata' },
    domain: 'running',
    kvm: kvm(false),
    guest: on('injected'),
    evidence: 'counted',
    failure: null,
    ...changes,
  };
}

type Row = [what: string, changes: Partial<Seen>, step: Step | null, phase: string, code?: string];

describe('towards pv-kick', () => {
  const hard: KvmSeen = { ...kvm(false), irqfdHardirq: true } as KvmSeen;
  test.each<Row>([
    [
      'a kernel without the series: the guest alone',
      { kvm: without },
      'tell-pv-kick',
      'moving',
      'GOING_BACK',
    ],
    ['there it is reached by its word', { kvm: without, guest: on('pv-kick') }, null, 'reached'],
    ['with the series the guest first', {}, 'tell-pv-kick', 'moving', 'GOING_BACK'],
    ['then the hard handler', { guest: on('pv-kick') }, 'allow-hard-isr', 'moving', 'GOING_BACK'],
    ['both', { kvm: hard, guest: on('pv-kick') }, null, 'reached'],
    [
      'from vmcall: the guest first',
      { kvm: kvm(true), guest: on('vmcall') },
      'tell-pv-kick',
      'moving',
      'GOING_BACK',
    ],
    [
      'an agent that does not know it',
      { kvm: without, guest: { capable: true, kicks: false, health: on('injected')?.health ?? null } },
      null,
      'blocked',
      'GUEST_INCAPABLE',
    ],
    [
      'an overwritten entry',
      {
        kvm: without,
        guest: on('pv-kick', { upheld: false, reason: { code: 'DOORBELL_OVERWRITTEN', message: '' } }),
      },
      'give-up',
      'moving',
      'DOORBELL_OVERWRITTEN',
    ],
    ['no guest', { kvm: without, guest: null }, null, 'blocked', 'GUEST_ABSENT'],
    ['it failed', { kvm: without, failure: failed('tell-pv-kick') }, null, 'blocked', 'WHY'],
  ])('%s', (_, changes, step, phase, code) => {
    const decision = decide(seen('pv-kick', changes));
    expect(decision).toMatchObject({ step, phase });
    expect(decision.reason?.code).toBe(code);
  });

  test('is what a guest says, with the series and without', () => {
    for (const each of [without, hard])
      expect(actualPath(seen('pv-kick', { kvm: each, guest: on('pv-kick') }))).toBe('pv-kick');
  });
});

describe('towards vmcall', () => {
  test.each<Row>([
    ['off', { domain: 'off', guest: null, kvm: nowhere }, null, 'blocked', 'DOMAIN_OFF'],
    ['paused', { domain: 'paused' }, null, 'blocked', 'DOMAIN_PAUSED'],
    ['a kernel without the series', { kvm: without }, null, 'blocked', 'KVM_UNSUPPORTED'],
    ['no folder in debugfs', { kvm: nowhere }, null, 'blocked', 'KVM_ABSENT'],
    [
      'a guest that wants vmcall in vain',
      { kvm: without, guest: on('injected', { wanted: 'vmcall', upheld: false }) },
      'tell-injected',
      'moving',
      'KVM_UNSUPPORTED',
    ],
    [
      'no session: nothing is allowed for a guest that is not there',
      { guest: null },
      null,
      'blocked',
      'GUEST_ABSENT',
    ],
    [
      'a session lost on the path: it is left as it is',
      { guest: null, kvm: kvm(true) },
      null,
      'blocked',
      'GUEST_ABSENT',
    ],
    [
      'an agent that cannot',
      { guest: { capable: false, kicks: false, health: null } },
      null,
      'blocked',
      'GUEST_INCAPABLE',
    ],
    [
      'no health yet',
      { guest: { capable: true, kicks: true, health: null } },
      null,
      'moving',
      'GUEST_SILENT',
    ],
    [
      'a dataplane that waits',
      { guest: on(null, { dataplane: 'waiting' }) },
      null,
      'blocked',
      'DATAPLANE_OFF',
    ],
    ['all fit: first KVM', {}, 'allow', 'moving', 'NOT_ALLOWED'],
    [
      'half a switch',
      { kvm: { ...kvm(true), irqfdHardirq: false } as KvmSeen },
      'allow',
      'moving',
      'NOT_ALLOWED',
    ],
    ['allowed: then the guest', { kvm: kvm(true) }, 'tell-vmcall', 'moving', 'GUEST_ELSEWHERE'],
    [
      'it fell back',
      { kvm: kvm(true), guest: on('injected', { wanted: 'vmcall', upheld: false }) },
      'tell-vmcall',
      'moving',
      'GUEST_ELSEWHERE',
    ],
    [
      'it runs, not counted yet',
      { kvm: kvm(true), guest: on('vmcall'), evidence: 'awaited' },
      null,
      'moving',
      'YIELDS_AWAITED',
    ],
    [
      'it says so, KVM does not',
      { kvm: kvm(true), guest: on('vmcall'), evidence: 'missing' },
      null,
      'blocked',
      'YIELDS_MISSING',
    ],
    [
      'it gets packets without a pause, and so does not sleep',
      { kvm: kvm(true), guest: on('vmcall'), evidence: 'busy' },
      null,
      'reached',
    ],
    ['it runs and KVM counts', { kvm: kvm(true), guest: on('vmcall') }, null, 'reached'],
    [
      'the doorbell was overwritten',
      {
        kvm: kvm(true),
        guest: on('vmcall', { upheld: false, reason: { code: 'DOORBELL_OVERWRITTEN', message: 'x' } }),
      },
      'give-up',
      'moving',
      'DOORBELL_OVERWRITTEN',
    ],
    ['the switch was thrown by hand under it', { guest: on('vmcall') }, 'allow', 'moving', 'NOT_ALLOWED'],
  ])('%s', (_what, changes, step, phase, code) => {
    const decision = decide(seen('vmcall', changes));
    expect(decision).toMatchObject({ step, phase });
    expect(decision.reason?.code).toBe(code);
  });
});

describe('towards injected', () => {
  test.each<Row>([
    ['off', { domain: 'off', guest: null, kvm: nowhere }, null, 'reached'],
    ['there already', {}, null, 'reached'],
    ['no series, no session', { kvm: without, guest: null }, null, 'reached'],
    [
      'on vmcall: first the guest',
      { kvm: kvm(true), guest: on('vmcall') },
      'tell-injected',
      'moving',
      'GOING_BACK',
    ],
    ['then KVM', { kvm: kvm(true) }, 'forbid', 'moving', 'GOING_BACK'],
    [
      'half a switch',
      { kvm: { ...kvm(false), irqfdHardirq: true } as KvmSeen },
      'forbid',
      'moving',
      'GOING_BACK',
    ],
    ['no session: KVM alone', { kvm: kvm(true), guest: null }, 'forbid', 'moving', 'GOING_BACK'],
    [
      'paused: KVM alone',
      { kvm: kvm(true), guest: on('vmcall'), domain: 'paused' },
      'forbid',
      'moving',
      'GOING_BACK',
    ],
    [
      'a dataplane that does not run: KVM alone',
      { kvm: kvm(true), guest: on(null, { dataplane: 'waiting' }) },
      'forbid',
      'moving',
      'DATAPLANE_OFF',
    ],
    [
      'a dataplane that does not run, and KVM off: it is on no path',
      { guest: on(null, { dataplane: 'waiting' }) },
      null,
      'blocked',
      'DATAPLANE_OFF',
    ],
    [
      'a guest that does not go: KVM has the last word',
      { kvm: kvm(true), guest: on('vmcall'), failure: failed('tell-injected') },
      'forbid',
      'moving',
      'GOING_BACK',
    ],
    [
      'and it says it is on vmcall still',
      { guest: on('vmcall'), failure: failed('tell-injected') },
      null,
      'blocked',
      'WHY',
    ],
    ['a switch that cannot be thrown', { kvm: kvm(true), failure: failed('forbid') }, null, 'blocked', 'WHY'],
    ['polling, which was not asked for', { guest: on('poll') }, 'tell-injected', 'moving', 'GOING_BACK'],
    [
      'polling by its own configuration',
      { guest: on('poll'), desired: { path: 'injected', source: 'default' } },
      null,
      'reached',
    ],
    [
      'bad metadata while on vmcall',
      { kvm: kvm(true), guest: on('vmcall'), desired: { path: 'injected', source: 'invalid' } },
      'tell-injected',
      'moving',
      'GOING_BACK',
    ],
  ])('%s', (_what, changes, step, phase, code) => {
    const decision = decide(seen('injected', changes));
    expect(decision).toMatchObject({ step, phase });
    expect(decision.reason?.code).toBe(code);
  });
});

const hardIsr = { ...kvm(false), irqfdHardirq: true } as KvmSeen;

describe('towards the paths that are there to be compared with', () => {
  test.each<[path: DesiredPath, ...Row]>([
    ['poll', 'on injected', {}, 'tell-poll', 'moving', 'GOING_BACK'],
    [
      'poll',
      'on vmcall: the guest first',
      { kvm: kvm(true), guest: on('vmcall') },
      'tell-poll',
      'moving',
      'GOING_BACK',
    ],
    ['poll', 'told: then KVM', { kvm: kvm(true), guest: on('poll') }, 'forbid', 'moving', 'GOING_BACK'],
    ['poll', 'there', { guest: on('poll') }, null, 'reached'],
    ['poll', 'there, without the series', { kvm: without, guest: on('poll') }, null, 'reached'],
    ['poll', 'refused', { failure: failed('tell-poll') }, null, 'blocked', 'WHY'],
    ['poll', 'no session', { guest: null }, null, 'blocked', 'GUEST_ABSENT'],
    ['poll', 'off', { domain: 'off' }, null, 'blocked', 'DOMAIN_OFF'],
    ['injected-hard-isr', 'on injected', {}, 'allow-hard-isr', 'moving', 'GOING_BACK'],
    [
      'injected-hard-isr',
      'on vmcall',
      { kvm: kvm(true), guest: on('vmcall') },
      'tell-injected',
      'moving',
      'GOING_BACK',
    ],
    ['injected-hard-isr', 'told: then KVM', { kvm: kvm(true) }, 'allow-hard-isr', 'moving', 'GOING_BACK'],
    ['injected-hard-isr', 'there', { kvm: hardIsr }, null, 'reached'],
    ['injected-hard-isr', 'refused by KVM', { failure: failed('allow-hard-isr') }, null, 'blocked', 'WHY'],
    [
      'injected-hard-isr',
      'a kernel without the series',
      { kvm: without },
      null,
      'blocked',
      'KVM_UNSUPPORTED',
    ],
    ['injected', 'from the non-threaded handler', { kvm: hardIsr }, 'forbid', 'moving', 'GOING_BACK'],
  ])('%s: %s', (path, _what, changes, step, phase, code) => {
    const decision = decide(seen(path, changes));
    expect(decision).toMatchObject({ step, phase });
    expect(decision.reason?.code).toBe(code);
  });
});

/** What a step does when all goes well. */
function done(at: Seen, step: Step): Seen {
  if (step === 'allow') return { ...at, kvm: kvm(true) };
  if (step === 'forbid') return { ...at, kvm: kvm(false) };
  return { ...at, guest: on(step === 'tell-vmcall' ? 'vmcall' : 'injected') };
}

function follow(start: Seen): { steps: Step[]; end: Seen } {
  const steps: Step[] = [];
  let end = start;
  for (let step = decide(end).step; step !== null; step = decide(end).step) {
    steps.push(step);
    if (steps.length > 8) throw new Error(`no end: ${steps.join(' ')}`);
    end = done(end, step);
  }
  return { steps, end };
}

describe('a step that fails ends in the injected path', () => {
  test.each<[what: string, step: Step, changes: Partial<Seen>, then: Step[]]>([
    ['nothing allowed', 'allow', {}, []],
    ['half allowed', 'allow', { kvm: { ...kvm(false), vcpuYield: true } as KvmSeen }, ['forbid']],
    ['the guest refused', 'tell-vmcall', { kvm: kvm(true) }, ['forbid']],
    [
      'the guest refused and wants it still',
      'tell-vmcall',
      { kvm: kvm(true), guest: on('injected', { wanted: 'vmcall', upheld: false }) },
      ['tell-injected', 'forbid'],
    ],
    [
      'it took it up, but the answer was lost',
      'tell-vmcall',
      { kvm: kvm(true), guest: on('vmcall') },
      ['tell-injected', 'forbid'],
    ],
    ['the session was lost meanwhile', 'tell-vmcall', { kvm: kvm(true), guest: null }, ['forbid']],
    [
      'given up',
      'give-up',
      { kvm: kvm(true), guest: on('vmcall', { upheld: false }) },
      ['tell-injected', 'forbid'],
    ],
  ])('%s', (_what, step, changes, then) => {
    const { steps, end } = follow(seen('vmcall', { ...changes, failure: failed(step) }));
    expect(steps).toEqual(then);
    expect(decide(end)).toEqual({ step: null, phase: 'blocked', reason: { code: 'WHY', message: 'why' } });
    expect(end.kvm).toMatchObject({ vcpuYield: false, irqfdHardirq: false });
    expect(actualPath(end)).toBe('injected');
  });

  test('and when it is retried, the path is reached from there', () => {
    const { end } = follow(seen('vmcall', { kvm: kvm(true), failure: failed('tell-vmcall') }));
    expect(follow({ ...end, failure: null }).steps).toEqual(['allow', 'tell-vmcall']);
  });
});

describe('the actual path', () => {
  test.each<[what: string, changes: Partial<Seen>, actual: string]>([
    ['the guest and KVM agree', { kvm: kvm(true), guest: on('vmcall') }, 'vmcall'],
    ['only the guest says so', { kvm: kvm(true), guest: on('vmcall'), evidence: 'missing' }, 'unknown'],
    ['KVM refuses, whatever the guest says', { guest: on('vmcall') }, 'injected'],
    ['no session, but KVM counts', { kvm: kvm(true), guest: null }, 'vmcall'],
    ['no session, and KVM counts nothing', { kvm: kvm(true), guest: null, evidence: 'missing' }, 'unknown'],
    ['polling', { guest: on('poll') }, 'poll'],
    ['the non-threaded handler', { kvm: hardIsr }, 'injected-hard-isr'],
    ['no dataplane', { guest: on(null, { dataplane: 'waiting' }) }, 'unknown'],
    ['off', { domain: 'off' }, 'off'],
  ])('%s: %s', (_what, changes, actual) => {
    expect(actualPath(seen('vmcall', changes))).toBe(actual);
  });
});

describe('a plan', () => {
  test('names the steps there and back', () => {
    expect(planSwitch(seen('injected'), wanted('vmcall'))).toEqual({
      steps: ['allow', 'tell-vmcall'],
      obstacle: null,
    });
    const there = seen('vmcall', { kvm: kvm(true), guest: on('vmcall') });
    expect(planSwitch(there, wanted('injected'))).toEqual({
      steps: ['tell-injected', 'forbid'],
      obstacle: null,
    });
    expect(planSwitch(there, wanted('vmcall'))).toEqual({ steps: [], obstacle: null });
  });

  test('names what stands in the way', () => {
    expect(planSwitch(seen('injected', { kvm: without }), wanted('vmcall'))).toMatchObject({
      steps: [],
      obstacle: { code: 'KVM_UNSUPPORTED' },
    });
  });
});

describe('the handler that vmcall tune switched on', () => {
  test('is left on, on the injected path', () => {
    expect(decide(seen('injected', { kvm: hardIsr }))).toMatchObject({ step: 'forbid' });
    expect(decide(seen('injected', { kvm: hardIsr, tunedHardirq: true }))).toMatchObject({
      step: null,
      phase: 'reached',
    });
  });

  test('stays on when VM calls are forbidden', () => {
    const step = decide(seen('injected', { kvm: kvm(true), guest: null, tunedHardirq: true })).step;
    expect(step).toBe('allow-hard-isr');
  });

  test('is nobody else’s to switch off while the domain was never given a path', () => {
    const desired = { path: 'injected', source: 'default' } as const;
    expect(decide(seen('injected', { desired, kvm: hardIsr }))).toMatchObject({
      step: null,
      phase: 'reached',
    });
    expect(decide(seen('injected', { desired, kvm: kvm(true), guest: null }))).toMatchObject({
      step: 'forbid',
    });
  });
});
