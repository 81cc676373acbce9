// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { Libvirt } from '../../../host-agent/libvirt/libvirt.js';
import { createLog } from '../../../src/support/log.js';
import { buildTimeout, builtAddon } from '../native/children.js';
import { domain } from '../support/host-bench.js';

beforeAll(() => builtAddon(), buildTimeout);

test('a thousand questions leave turns of the event loop to others', async () => {
  const libvirt = new Libvirt('test:///default', createLog('test', { write: () => {} }));
  const anew = once(libvirt, 'anew');
  libvirt.start();
  try {
    await anew;
    const questions = 1000;
    let answered = 0;
    let turns = 0;
    const all = Array.from({ length: questions }, () =>
      libvirt.readDesired(domain.uuid).then(() => answered++),
    );
    for (; answered < questions; turns++) await nextTurn();
    await Promise.all(all);
    // Eight are asked at once. Where each answer brought the next question in the same turn, there were a few turns.
    expect(turns).toBeGreaterThanOrEqual(questions / 8);
  } finally {
    await libvirt.stop();
  }
});
