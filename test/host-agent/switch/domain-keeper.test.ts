// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { FileHost } from '../../../host-agent/host/host.js';
import { SystemCommands } from '../../../host-agent/host/host-commands.js';
import type { DomainFacts } from '../../../host-agent/libvirt/libvirt.js';
import { DomainKeeper } from '../../../host-agent/switch/domain-keeper.js';
import { KvmSwitches } from '../../../host-agent/switch/kvm.js';
import { createLog } from '../../../src/support/log.js';

const uuid = '0f3b5c1e-2a4d-4c6b-9e8f-7a6b5c4d3e2f';

test('a path that is desired while libvirt is asked is newer than what libvirt answers', async () => {
  const off: DomainFacts = {
    identity: { name: 'dpdk0', uuid, id: null },
    domain: 'off',
    desired: { path: 'injected', source: 'metadata' },
    problem: null,
  };
  const answers: ((facts: DomainFacts) => void)[] = [];
  const keeper = new DomainKeeper({
    uuid,
    libvirt: {
      read: () => new Promise((resolve) => answers.push(resolve)),
      readDesired: async () => undefined,
    },
    kvm: new KvmSwitches(new FileHost('/nonexistent', new SystemCommands())),
    timing: { interval_s: 60, retry_least_s: 1, retry_most_s: 60, yields_within_s: 5 },
    log: createLog('test', { write: () => {} }),
  });
  const answer = async () => {
    await expect.poll(() => answers.length).toBe(1);
    answers.pop()?.(off);
    await new Promise(setImmediate);
  };
  keeper.kick();
  await answer();
  expect(keeper.desired).toBe('injected');
  keeper.kick();
  keeper.desire({ desired: { path: 'vmcall', source: 'metadata' }, problem: null });
  await answer();
  expect(keeper.desired).toBe('vmcall');
  await answer();
  expect(keeper.desired).toBe('injected');
  await keeper.stop();
});
