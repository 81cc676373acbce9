// SPDX-License-Identifier: Apache-2.0
// What systemd knows of the daemons, as systemd itself judges it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { exitCodes } from '../../src/support/errors.js';
import { projectRoot } from '../../src/support/paths.js';

describe.each(['host-agent', 'guest-agent'])('the unit of the %s', (agent) => {
  const file = join(projectRoot, agent, `vmcall-${agent}.service`);
  const settings = async () =>
    new Map(
      [...(await readFile(file, 'utf8')).matchAll(/^([A-Za-z]+)=(.*)$/gm)].map(([, key = '', value = '']) => [
        key,
        value,
      ]),
    );

  test('leaves the service little that it could do harm with: under 4.0', async () => {
    const { stdout } = await execa('systemd-analyze', ['security', '--offline=true', file], {
      reject: false,
    });
    const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
    expect(exposure).toBeGreaterThan(0);
    expect(exposure).toBeLessThan(4);
  });

  test('has systemd retry what may succeed then, forever, and nothing else', async () => {
    const { Restart, RestartPreventExitStatus, StartLimitIntervalSec } = Object.fromEntries(await settings());
    const { usage, configuration, unsupported } = exitCodes;
    expect([Restart, StartLimitIntervalSec]).toEqual(['on-failure', '0']);
    expect(RestartPreventExitStatus?.split(' ').map(Number)).toEqual([usage, configuration, unsupported]);
  });

  test('bounds its memory, and ends it when it answers no more', async () => {
    expect([...(await settings()).keys()]).toEqual(
      expect.arrayContaining(['MemoryMax', 'TasksMax', 'WatchdogSec', 'NoNewPrivileges']),
    );
  });
});

test('the host agent may place threads of other users, real-time ones too: tuning is kept over a restart of a guest', async () => {
  const text = await readFile(join(projectRoot, 'host-agent', 'vmcall-host-agent.service'), 'utf8');
  expect(/^CapabilityBoundingSet=(.*)$/m.exec(text)?.[1]?.split(' ')).toContain('CAP_SYS_NICE');
  expect(text).not.toContain('RestrictRealtime=yes');
  // The last word on a call counts, and @resources is forbidden before.
  const filters = [...text.matchAll(/^SystemCallFilter=(.*)$/gm)].map(([, value]) => value);
  const denied = filters.findLastIndex((filter) => filter?.startsWith('~'));
  expect(filters.slice(denied + 1).flatMap((filter) => filter?.split(' '))).toEqual(
    expect.arrayContaining(['sched_setaffinity', 'sched_setscheduler']),
  );
});
