// SPDX-License-Identifier: Apache-2.0
// The measurement that is always on, over TLS with the guest agent's own session and measuring code.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { GuestMeasurement } from '../../../host-agent/guest-sessions/guest-measurement.js';
import type { GuestSession } from '../../../host-agent/guest-sessions/guest-session.js';
import { GuestFigures } from '../../../host-agent/live/figures.js';
import { GuestFeed } from '../../../host-agent/live/guest-feed.js';
import type { Report } from '../../../src/protocol/messages.js';
import { domainA, type Host, startHost } from '../support/host.js';
import { StandInGuest } from '../support/stand-in-guest.js';

let host: Host;
let guest: StandInGuest;
let session: GuestSession;
let figures: GuestFigures;
let feed: GuestFeed;
beforeEach(async () => {
  host = await startHost();
  const secret = await host.store.issue(domainA);
  const opened = new Promise<GuestSession>((resolve) => host.sessions.once('open', resolve));
  const trust = { fingerprint: host.fingerprint };
  guest = new StandInGuest({ url: new URL(host.url), domain: domainA, secret, trust }, () => '');
  session = await opened;
  figures = new GuestFigures();
  feed = new GuestFeed(session, figures, true);
});
afterEach(async () => {
  await guest.stop();
  await host.stop();
});

const reports = (least: number) =>
  expect.poll(() => figures.reports, { timeout: 20_000 }).toBeGreaterThanOrEqual(least);

describe('the measurement that is always on', () => {
  test('feeds the figures', async () => {
    await reports(1);
    guest.measuring.count({ rx: 5 });
    guest.measuring.wake(2_000);
    await expect.poll(() => figures.counters.get('rx'), { timeout: 20_000 }).toBe(5);
    expect(figures.latency.get('injected')).toMatchObject({ count: 1, sum: 2_000 });
  });

  test("gives way to a run's own, whose reports feed the figures too, and is on again after it", async () => {
    await reports(1);
    let last: Report | undefined;
    const onReport = (report: Report) => {
      last = report;
    };
    const run = await GuestMeasurement.start(session, { onReport, onBroken: () => {} }, 100);
    guest.measuring.count({ rx: 7 });
    guest.measuring.wake(3_000);
    const before = figures.reports;
    await reports(before + 3);
    await run.finish();
    expect([last?.wake_latency.total.count, last?.counters.rx]).toEqual([1, 7]);
    await reports(figures.reports + 2);
    expect([figures.counters.get('rx'), figures.missed]).toEqual([7, 0]);
  });

  test('begins again when its dataplane began again', async () => {
    await reports(1);
    guest.measuring.count({ rx: 3 });
    await expect.poll(() => figures.counters.get('rx'), { timeout: 20_000 }).toBe(3);
    guest.restart();
    guest.measuring.count({ rx: 4 });
    await reports(figures.reports + 2);
    expect(figures.counters.get('rx')).toBe(3);
    guest.measuring.count({ rx: 4 });
    await expect.poll(() => figures.counters.get('rx'), { timeout: 20_000 }).toBe(7);
  });

  test('is off when it is turned off, and on when it is turned on', async () => {
    await reports(1);
    await feed.turn(false);
    const before = figures.reports;
    const run = await GuestMeasurement.start(session, { onReport: () => {}, onBroken: () => {} }, 100);
    await run.finish();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(figures.reports).toBeLessThanOrEqual(before + 3);
    const off = figures.reports;
    await feed.turn(true);
    await reports(off + 2);
  });
});
