// SPDX-License-Identifier: Apache-2.0
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { runLab } from '../../src/lab/run.js';
import { buildUnpatched } from '../../src/setup/artifacts.js';
import { prepareLab } from '../../src/setup/prepare.js';
import { stderrProgress } from '../../src/support/progress.js';

const minutes = 60_000;
/** The kernel's host halt polling of the vCPU: on, and off for who holds it. */
const [on, off] = ['0x1', '0x0'];

describe('the guest driver', () => {
  let facts: Record<string, string>;

  beforeAll(async () => {
    const progress = stderrProgress();
    const { events } = await runLab({
      artifacts: await buildUnpatched(await prepareLab(progress, true), progress),
      clock: 'instruction',
      folder: await mkdtemp(join(tmpdir(), 'vmcall-driver-power-')),
      scenario: {
        scenario: 'driver-power',
        packets: 1,
        rounds: 1,
        interval: 350,
        idleThreshold: 300,
        seed: 1,
      },
      progress,
    });
    facts = Object.assign({}, ...events.map((event) => (event.type === 'driver' ? event.facts : {})));
  }, 40 * minutes);

  test('is for members of its group, which sysusers makes and udev gives the device', () => {
    expect(facts.device).toBe(`660 0 ${facts.gid}`);
    expect(facts).toMatchObject({ memberByUdev: 'taken', strangerByUdev: 'refused EACCES 0' });
  });

  test('leaves nothing on in a kernel that kexec starts while a program halts', () => {
    expect(facts).toMatchObject({
      pollingBeforeKexec: off,
      anotherBoot: 'true',
      pollingAfterKexec: on,
      afterKexec: 'taken',
    });
  });

  test('switches off what is on before the system sleeps, and on again after', () => {
    expect(facts).toMatchObject({
      pollingBeforeSleep: off,
      slept: 'slept',
      pollingAfterSleep: off,
      heldAfterSleep: 'refused EBUSY 3',
      halting: 'taken',
    });
    expect(facts.writtenBySleep?.trim()).toBe('value 1 value 0');
  });
});
