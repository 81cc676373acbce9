// SPDX-License-Identifier: Apache-2.0
// What systemd is told of the daemons, as systemd itself judges it.
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

  test('has systemd try again what may go well then, for ever, and nothing else', async () => {
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
