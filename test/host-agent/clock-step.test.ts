// SPDX-License-Identifier: Apache-2.0
// A host agent whose wall clock is set while it runs, as on a host that meets its time server late.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { samplesOf } from './metrics/promtool.js';
import { buildTimeout, builtAddon } from './native/children.js';
import { domain } from './support/host-bench.js';
import { startLiveBench } from './support/live-bench.js';
import { WallClock } from './support/wall-clock.js';

beforeAll(() => builtAddon(), buildTimeout);

const hour = 3600;
const names = ['vmcall_guest_report_timestamp_seconds', 'vmcall_domain_look_timestamp_seconds'];

test.skipIf(!WallClock.isThere)(
  'times are right once the clock is, forwards and back',
  {
    timeout: 120_000,
  },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vmcall-clock-'));
    const clock = new WallClock(join(folder, 'offset'));
    await clock.set('-3d');
    const { bench } = await startLiveBench(['metrics'], clock.env);
    try {
      const url = `http://127.0.0.1:${await bench.port('metrics')}/metrics`;
      /** From now, by this process's own clock, in whole hours. */
      const hoursFromNow = async () => {
        const samples = samplesOf(await (await fetch(url)).text());
        return names.map((name) => {
          const told = samples.find((sample) => sample.name === name)?.value ?? 0;
          return Math.round((told - Date.now() / 1000) / hour) + 0;
        });
      };
      const eventually = (hours: number) =>
        expect.poll(hoursFromNow, { timeout: 30_000 }).toEqual(names.map(() => hours));
      await eventually(-72);
      await clock.set('+0');
      await eventually(0);
      await clock.set('-5h');
      await eventually(-5);
      await clock.set('+0');
      await eventually(0);
      // Nothing was thought to have ended or to be late by it.
      await bench.until({ guest: { health: { dataplane: 'running' } } });
      expect(bench.agent.log.filter(({ message }) => message === 'session open')).toHaveLength(1);
      expect((await bench.client.status(domain.uuid)).libvirt.connected).toBe(true);
    } finally {
      await bench.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
);
