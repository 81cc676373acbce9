// SPDX-License-Identifier: Apache-2.0
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runLab } from '../../src/lab/run.js';
import { prepareLab } from '../../src/setup/prepare.js';
import { stderrProgress } from '../../src/support/progress.js';
import { kernelsTested } from './kernels.js';

const minutes = 60_000;

describe.each(kernelsTested)('on %s, packets that come just as the program goes to sleep', (series) => {
  test('wake the right program, and are missed by one that does not poll after arming', {
    timeout: 20 * minutes,
  }, async () => {
    const progress = stderrProgress();
    const { events, began } = await runLab({
      artifacts: await prepareLab(progress, true, series),
      clock: 'instruction',
      folder: await mkdtemp(join(tmpdir(), 'vmcall-lost-wakeups-')),
      scenario: {
        scenario: 'lost-wakeups',
        packets: 600,
        rounds: 1,
        interval: 350,
        idleThreshold: 300,
        seed: 1,
      },
      progress,
      // One test a kernel boots host and guest from nothing.
      fresh: true,
    });
    expect(began).toBe('booted');
    const wakeups = events.filter((event) => event.type === 'wakeups');
    expect(wakeups).toHaveLength(4);
    for (const { program, policy, sent, received, late, foundAfterArming } of wakeups) {
      const what = `${program} with ${policy}`;
      expect(received, what).toBe(sent);
      if (program === 'vmcall-dataplane') {
        expect(late, `${what}: lost wake-ups`).toBe(0);
        expect(foundAfterArming, `${what}: the window was hit`).toBeGreaterThan(0);
      } else {
        // The negative control: the harness sees what the broken program loses.
        expect(late, `${what}: lost wake-ups`).toBeGreaterThan(0);
        expect(foundAfterArming, what).toBe(0);
      }
    }
  });
});
