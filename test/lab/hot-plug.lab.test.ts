// SPDX-License-Identifier: Apache-2.0
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runLab } from '../../src/lab/run.js';
import { prepareLab } from '../../src/setup/prepare.js';
import { stderrProgress } from '../../src/support/progress.js';

test('the addon gives a running domain the NIC, really passed through, and takes it back', async () => {
  const progress = stderrProgress();
  const { events } = await runLab({
    artifacts: await prepareLab(progress, true),
    clock: 'instruction',
    folder: await mkdtemp(join(tmpdir(), 'vmcall-hot-plug-')),
    scenario: { scenario: 'hot-plug', packets: 1, rounds: 1, interval: 350, idleThreshold: 300, seed: 1 },
    progress,
  });
  const withHost = { driver: 'e1000e', inDomain: false, openInQemu: false };
  expect(events.find((event) => event.type === 'hot-plug')).toMatchObject({
    before: withHost,
    attached: { driver: 'vfio-pci', inDomain: true, openInQemu: true },
    detached: withHost,
  });
}, 600_000);
