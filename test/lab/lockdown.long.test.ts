// SPDX-License-Identifier: Apache-2.0
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LabEvent } from '../../src/lab/events.js';
import { runLab } from '../../src/lab/run.js';
import { prepareLab } from '../../src/setup/prepare.js';
import { stderrProgress } from '../../src/support/progress.js';
import { kernelsTested } from './kernels.js';

const minutes = 60_000;
const packets = 200;

describe.each(kernelsTested)('host and guest on %s with lockdown=integrity', (series) => {
  let events: LabEvent[];

  beforeAll(async () => {
    const progress = stderrProgress();
    const run = await runLab({
      artifacts: await prepareLab(progress, true, series),
      clock: 'instruction',
      folder: await mkdtemp(join(tmpdir(), 'vmcall-lockdown-')),
      scenario: {
        scenario: 'locked-down',
        packets,
        rounds: 1,
        interval: 350,
        idleThreshold: 300,
        seed: 1,
      },
      progress,
    });
    events = run.events;
  }, 20 * minutes);

  test('are locked down: what can be written in debugfs is closed', () => {
    const [found] = events.filter((event) => event.type === 'locked-down');
    expect(found).toMatchObject({ debugfs: 'EPERM' });
    expect(found?.host).toContain('[integrity]');
    expect(found?.guest).toContain('[integrity]');
  });

  test('switch to the VM call and back, lose no packet, and tell what was counted', () => {
    const bursts = events.filter((event) => event.type === 'locked-down-burst');
    expect(bursts.map(({ path, received, vcpuBy }) => ({ path, received, vcpuBy }))).toEqual([
      { path: 'vmcall', received: packets, vcpuBy: 'driver' },
      { path: 'injected', received: packets, vcpuBy: 'none' },
      { path: 'vmcall', received: packets, vcpuBy: 'driver' },
    ]);
    for (const { path, yields, hardIrqs } of bursts) {
      expect(yields > 0, path).toBe(path === 'vmcall');
      expect(hardIrqs > 0, path).toBe(path === 'vmcall');
    }
  });
});
