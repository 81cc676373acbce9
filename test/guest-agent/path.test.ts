// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { pathWithoutHost, whyNotUpheld } from '../../guest-agent/path.js';
import type { DataplaneInfo } from '../../guest-agent/program/dataplane.js';

const onVmcall: DataplaneInfo = {
  version: '0.1.0',
  path: 'vmcall',
  idleThresholdUs: 300,
  doorbell: 'installed',
  fallback: undefined,
};
const fallback = { code: 'EOPNOTSUPP', message: 'switched off' };

describe('a path is upheld', () => {
  test('while it is in force and its doorbell is there', () => {
    expect(whyNotUpheld('vmcall', onVmcall)).toBeUndefined();
    expect(whyNotUpheld('vmcall', { ...onVmcall, path: 'injected', fallback })).toEqual(fallback);
    expect(whyNotUpheld('vmcall', { ...onVmcall, doorbell: 'overwritten' })?.code).toBe(
      'DOORBELL_OVERWRITTEN',
    );
    expect(whyNotUpheld('poll', { ...onVmcall, path: 'poll', doorbell: 'absent' })).toBeUndefined();
  });
});

describe('without a host', () => {
  const broken: DataplaneInfo = { ...onVmcall, doorbell: 'overwritten' };
  test.each([
    ['an upheld path stays, forever', 'vmcall', onVmcall, 1e9, undefined],
    ['polling stays, forever', 'poll', { ...onVmcall, path: 'poll' }, 1e9, undefined],
    ['a path that is not upheld stays for the time configured', 'vmcall', broken, 29_999, undefined],
    ['and is given up for interrupts then', 'vmcall', broken, 30_000, 'injected'],
    ['interrupts have nothing to be given up for', 'injected', { ...onVmcall, path: 'poll' }, 1e9, undefined],
  ] as const)('%s', (_what, wanted, info, lostFor, expected) => {
    expect(pathWithoutHost(wanted, info, lostFor, 30_000)).toBe(expected);
  });
});
