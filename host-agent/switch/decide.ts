// SPDX-License-Identifier: Apache-2.0

import type { Step } from '../../src/control/steps.js';
import type { DesiredPath, Path } from '../../src/protocol/fields.js';
import type { Health } from '../../src/protocol/messages.js';
import { demands, stepSwitches, stepTells } from './demands.js';
import type { KvmSeen, Seen } from './seen.js';

/** Why actual is not desired; `code` is stable. */
export interface Reason {
  code: string;
  message: string;
}

export interface Decision {
  /** What to do now; null: nothing. */
  step: Step | null;
  /** `reached`; `moving`: on its way; `blocked`: something else must change first, or a try is due later. */
  phase: 'reached' | 'moving' | 'blocked';
  /** Null exactly when it is reached. */
  reason: Reason | null;
}

/** What packets take now. `unknown`: nobody who knows can be asked, or guest and KVM contradict each other. */
export type Actual = DesiredPath | 'unknown' | 'off';

const reached: Decision = { step: null, phase: 'reached', reason: null };
const blocked = (code: string, message: string): Decision => ({
  step: null,
  phase: 'blocked',
  reason: { code, message },
});
const moving = (step: Step | null, code: string, message: string): Decision => ({
  step,
  phase: 'moving',
  reason: { code, message },
});

/**
 * The next step from what is seen to what is desired. To `vmcall`: allow in KVM, tell the guest, see it running there. To
 * any other: the guest first, then KVM's switches. A step that failed turns the way round, to `injected`, until it is
 * retried.
 */
export function decide(seen: Seen): Decision {
  const { desired, domain, kvm, failure } = seen;
  if (domain === 'off')
    return desired.path === 'injected' ? reached : blocked('DOMAIN_OFF', 'the domain does not run');
  if (desired.path === 'injected') return awayFromVmcall(seen, 'injected', withoutDataplane(seen) ?? reached);
  if (domain === 'paused') return blocked('DOMAIN_PAUSED', 'the domain is paused');
  if (demands[desired.path].needsSeries && kvm.support !== 'present')
    return awayFromVmcall(seen, 'injected', blocked(...unsupported(kvm)));
  if (failure) return awayFromVmcall(seen, 'injected', blocked(failure.code, failure.message));
  if (desired.path === 'pv-kick') return towardsPvKick(seen);
  if (desired.path !== 'vmcall') return awayFromVmcall(seen, desired.path, absence(seen) ?? reached);
  return towardsVmcall(seen);
}

const tells = {
  poll: 'tell-poll',
  injected: 'tell-injected',
  'pv-kick': 'tell-pv-kick',
  vmcall: 'tell-vmcall',
} as const;

/** Why nothing can be sent to the guest now. */
function absence({ guest }: Seen): Decision | undefined {
  if (!guest)
    return blocked('GUEST_ABSENT', 'no session with its guest agent: does it run there, is it enrolled?');
  if (!guest.capable)
    return blocked('GUEST_INCAPABLE', 'its guest agent cannot switch paths: use the same version there');
  if (!guest.health) return moving(null, 'GUEST_SILENT', 'its guest agent has not reported its health yet');
  if (guest.health.dataplane !== 'running') return blocked(...dataplaneOff(guest.health));
  return undefined;
}

/** A guest whose dataplane does not run is on no path, the injected one included. One without an agent is a guest as any. */
function withoutDataplane({ guest }: Seen): Decision | undefined {
  const health = guest?.capable ? guest.health : null;
  if (!health || health.dataplane === 'running') return undefined;
  if (health.dataplane === 'starting') return moving(null, ...dataplaneOff(health));
  return blocked(...dataplaneOff(health));
}

function towardsVmcall(seen: Seen): Decision {
  const { guest, kvm, evidence } = seen;
  const health = guest?.health;
  const absent = absence(seen);
  if (absent || !health || kvm.support !== 'present') return absent ?? reached;
  if (!kvm.vcpuYield || !kvm.irqfdHardirq)
    return moving('allow', 'NOT_ALLOWED', 'the VM call is not allowed in KVM yet');
  if (health.path !== 'vmcall' || health.wanted !== 'vmcall')
    return moving('tell-vmcall', 'GUEST_ELSEWHERE', `the guest is on ${health.path ?? 'no path'} still`);
  // Only a switch away and back writes the NIC's MSI-X entry again.
  if (!health.upheld) return moving('give-up', ...notUpheld(health));
  if (evidence === 'counted' || evidence === 'busy') return reached;
  const uncounted = 'the guest says it is on vmcall, but KVM has counted no VM call recently';
  return evidence === 'awaited'
    ? moving(null, 'YIELDS_AWAITED', uncounted)
    : blocked(
        'YIELDS_MISSING',
        `${uncounted}: it sleeps without them, or nobody tells whether it does (live.measure)`,
      );
}

/** KVM needs to allow nothing, and counts nothing of it: the guest's word is what there is. */
function towardsPvKick(seen: Seen): Decision {
  const { guest } = seen;
  const health = guest?.health;
  const absent = absence(seen);
  if (!absent && guest?.kicks === false)
    return awayFromVmcall(
      seen,
      'injected',
      blocked('GUEST_INCAPABLE', 'its guest agent does not know the PV kick: use the same version there'),
    );
  if (health?.path === 'pv-kick' && health.wanted === 'pv-kick' && !health.upheld)
    return moving('give-up', ...notUpheld(health));
  return awayFromVmcall(seen, 'pv-kick', absent ?? reached);
}

/** @param then once all is there: reached, or why not what is desired */
function awayFromVmcall(seen: Seen, path: Exclude<DesiredPath, 'vmcall'>, then: Decision): Decision {
  const { desired, domain, kvm, guest, failure } = seen;
  const want = demands[path];
  const isHard = want.irqfdHardirq || seen.tunedHardirq === true || isOthers(seen);
  const [tell, set] = [tells[want.guest], isHard ? 'allow-hard-isr' : 'forbid'] as const;
  const code = then.reason?.code ?? 'GOING_BACK';
  const message = then.reason?.message ?? `the domain is not on ${path} yet`;
  const health = guest?.capable ? guest.health : null;
  const mustTell = health !== null && domain === 'running' && shouldBeTold(health, desired, want.guest);
  // The host has the last word: a guest that does not go back by itself is forced back by the switch (OFF, the ABI's word).
  if (mustTell && failure?.step !== tell) return moving(tell, code, message);
  if (kvm.support === 'present' && (kvm.vcpuYield || kvm.irqfdHardirq !== isHard))
    return failure?.step === set ? blocked(failure.code, failure.message) : moving(set, code, message);
  if (mustTell && failure) return blocked(failure.code, failure.message);
  return then;
}

/** Of a domain that was never given a path: no step of ours left the handler as it is. */
const isOthers = ({ desired, kvm }: Seen): boolean =>
  desired.source === 'default' && kvm.support === 'present' && !kvm.vcpuYield && kvm.irqfdHardirq;

/** A guest whose domain was never given a path keeps polling if its own configuration says so. */
function shouldBeTold(health: Health, desired: Seen['desired'], path: Path): boolean {
  if (health.dataplane !== 'running') return false;
  if (health.path === 'vmcall' || health.wanted === 'vmcall') return true;
  return desired.source === 'metadata' && (health.path !== path || health.wanted !== path);
}

function unsupported(kvm: Exclude<KvmSeen, { support: 'present' }>): [string, string] {
  return kvm.support === 'absent'
    ? ['KVM_ABSENT', kvm.why]
    : [
        'KVM_UNSUPPORTED',
        `this host's KVM is without the series (no ${kvm.missing.join(', ')}): apt-get install vmcall-kvm-dkms, then boot the RT kernel`,
      ];
}

function dataplaneOff({ dataplane, reason }: Health): [string, string] {
  return ['DATAPLANE_OFF', `the guest's dataplane is ${dataplane}${reason ? `: ${reason.message}` : ''}`];
}

function notUpheld({ reason }: Health): [string, string] {
  return [reason?.code || 'NOT_UPHELD', reason?.message ?? 'the guest does not uphold the path'];
}

/** The path packets take, by what the guest says as far as KVM's switch and count confirm it. */
export function actualPath({ domain, kvm, guest, evidence }: Seen): Actual {
  if (domain === 'off') return 'off';
  const told = guest?.health?.path ?? null;
  if (guest?.health && told === null) return 'unknown';
  const isOfGuest = told === 'poll' || told === 'pv-kick';
  if (kvm.support !== 'present') return isOfGuest ? told : 'injected';
  if (!kvm.vcpuYield) {
    if (isOfGuest) return told;
    return kvm.irqfdHardirq ? 'injected-hard-isr' : 'injected';
  }
  if (evidence === 'busy' && told === 'vmcall') return 'vmcall';
  if (evidence === 'counted' && (told === 'vmcall' || !guest)) return 'vmcall';
  return told === 'vmcall' || told === null ? 'unknown' : told;
}

/** What a step does to what is seen, if all goes well. */
function afterStep(seen: Seen, step: Step, reason: Reason | null): Seen {
  const { kvm, guest } = seen;
  if (step === 'give-up')
    return { ...seen, failure: { step, code: reason?.code ?? '', message: reason?.message ?? '' } };
  const switched = stepSwitches[step];
  if (switched) return kvm.support === 'present' ? { ...seen, kvm: { ...kvm, ...switched } } : seen;
  if (!guest?.health) return seen;
  const path = stepTells[step] ?? 'injected';
  return {
    ...seen,
    evidence: 'counted',
    guest: { ...guest, health: { ...guest.health, path, wanted: path, upheld: true, reason: null } },
  };
}

const stepsMost = 8;

/** What would be done for a path that is not desired yet, and what would stand in the way. Changes nothing. */
export function planSwitch(seen: Seen, desired: Seen['desired']): { steps: Step[]; obstacle: Reason | null } {
  const steps: Step[] = [];
  let at: Seen = { ...seen, desired, failure: null };
  for (;;) {
    const { step, reason } = decide(at);
    if (step === null || steps.length === stepsMost) return { steps, obstacle: reason };
    steps.push(step);
    at = afterStep(at, step, reason);
  }
}
