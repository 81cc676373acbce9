// SPDX-License-Identifier: Apache-2.0
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Measure, MeasureEvent } from '../src/control/schema.js';
import { RequestError } from '../src/session/request-error.js';
import { describeError, VmcallError } from '../src/support/errors.js';
import { GuestMeasurement } from './guest-sessions/guest-measurement.js';
import type { GuestSession } from './guest-sessions/guest-session.js';

/**
 * Has guests measure for the time asked, all at once, and passes on what they report. Each domain ends in one `ended`
 * or one `failed`, whatever becomes of the others.
 * @param signal nobody listens any more: the guests are asked to stop
 */
export async function measureGuests(
  sessionOf: (uuid: string) => GuestSession | undefined,
  { domains, seconds, interval_ms: intervalMs }: Measure,
  emit: (event: MeasureEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  // A listener for each domain, as many as there are.
  setMaxListeners(0, signal);
  await Promise.all(
    domains.map(async (uuid, index) => {
      try {
        // So that their reports do not come all at once.
        await pause((index / domains.length) * intervalMs, signal);
        const session = sessionOf(uuid);
        if (!session)
          throw new VmcallError('GUEST_ABSENT', 'no session with its guest agent', 'Does it run there?');
        const reports = await measureOne(uuid, session, seconds, intervalMs, emit, signal);
        emit({ type: 'ended', uuid, reports });
      } catch (error) {
        emit({ type: 'failed', uuid, ...whatFailed(error) });
      }
    }),
  );
}

async function measureOne(
  uuid: string,
  session: GuestSession,
  seconds: number,
  intervalMs: number,
  emit: (event: MeasureEvent) => void,
  signal: AbortSignal,
): Promise<number> {
  const broken = new AbortController();
  const measurement = await GuestMeasurement.start(
    session,
    {
      onReport: (report) => emit({ type: 'report', uuid, report }),
      onBroken: (error) => broken.abort(error),
    },
    intervalMs,
  );
  emit({ type: 'started', uuid, path: measurement.path });
  const ends = AbortSignal.any([signal, broken.signal]);
  await pause(seconds * 1000, ends);
  const { reports } = await measurement.finish();
  const undated = session.dating?.problem;
  if (undated) emit({ type: 'undated', uuid, ...undated });
  return reports;
}

/** Over at once when the signal fires. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}

function whatFailed(error: unknown): { code: string; message: string } {
  if (error instanceof RequestError || error instanceof VmcallError)
    return { code: error.code, message: error.message.slice(0, 2000) };
  return { code: 'INTERNAL', message: (describeError(error).split('\n')[0] ?? '').slice(0, 2000) };
}
