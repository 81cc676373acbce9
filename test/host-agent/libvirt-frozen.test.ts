// SPDX-License-Identifier: Apache-2.0
// A libvirtd that hangs while the host agent has calls under way.
import { beforeEach, expect, test } from 'vitest';
import { domain } from './support/host-bench.js';
import { onVmcall, TestHost } from './support/test-host.js';

const host = new TestHost();
beforeEach(() => host.startBoth());

test('is said by enable, given up as LIBVIRT_LOST, and asked again when it goes on', {
  timeout: 150_000,
}, async () => {
  process.kill(host.libvirtd.pid, 'SIGSTOP');
  const enabling = await Promise.all([host.vmcall('enable', 'test'), host.vmcall('enable', domain.uuid)]);
  for (const { exitCode, stderr } of enabling)
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringMatching(/LIBVIRT_SILENT: libvirt at .* has not answered/),
    ]);
  const status = async () => (await host.bench.client.status()).domains[0];
  // By libvirt's keep-alive, five times five seconds.
  await expect
    .poll(status, { timeout: 60_000 })
    .toMatchObject({ phase: 'blocked', reason: { code: 'LIBVIRT_LOST' } });
  process.kill(host.libvirtd.pid, 'SIGCONT');
  const connected = () => host.bench.agent.said.split('connected to libvirt').length - 1;
  await expect.poll(connected, { timeout: 30_000 }).toBe(2);
  await host.vmcall('enable', 'test');
  await host.bench.until(onVmcall);
  expect(host.bench.agent.child.exitCode).toBeNull();
});
