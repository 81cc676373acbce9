// SPDX-License-Identifier: Apache-2.0
// A domain is called alike whatever is done with it.
import { beforeEach, expect, test } from 'vitest';
import { domain } from './support/host-bench.js';
import { TestHost } from './support/test-host.js';

const host = new TestHost();
beforeEach(() => host.startBoth());

const digits = domain.uuid.replaceAll('-', '').toUpperCase();

test.each(['1', digits])(
  'every verb knows the domain by %s',
  async (called) => {
    for (const [verb, ...words] of [
      ['status', '--json'],
      ['enable'],
      ['disable'],
      ['forget'],
      ['enroll', '--host', '192.0.2.1'],
      ['rotate', '--host', '192.0.2.1'],
      ['revoke'],
    ] as const) {
      const { exitCode, stderr } = await host.vmcall(verb, called, ...words, '--socket', host.bench.socket);
      expect([verb, exitCode, stderr]).toEqual([verb, 0, expect.any(String)]);
    }
    const { stdout } = await host.vmcall('check', called, '--json', '--socket', host.bench.socket);
    expect(JSON.parse(stdout)).toMatchObject({ domain: domain.name });
  },
  120_000,
);
