// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { compareVersions } from '../../src/setup/debian-version.js';

const versions = [
  ...['6.1.192-2', '6.1.192-3', '6.1.192-10', '6.12.117-1~deb12u1', '6.12.117-1', '6.12.117-1+b1'],
  ...['7.3.4-1~bpo13+1', '7.3~rc1-1', '7.3-1', '1:2.0-1', '20.19.2+dfsg-1+deb13u3', '20.19.2+dfsg1-1'],
];

test('Debian versions have the order that dpkg gives them', () => {
  for (const a of versions)
    for (const b of versions) {
      const relation = ['lt', 'eq', 'gt'][Math.sign(compareVersions(a, b)) + 1] ?? '';
      const { status } = spawnSync('dpkg', ['--compare-versions', a, relation, b]);
      expect({ a, relation, b, status }).toEqual({ a, relation, b, status: 0 });
    }
});
