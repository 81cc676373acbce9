// SPDX-License-Identifier: Apache-2.0
// A libvirtd that hangs while the host agent has calls under way.
import { beforeEach, expect, test } from 'vitest';
import { domain } from './support/host-bench.js';
import { onVmcall, TestHost } from './support/test-host.js';

const host = new TestHost();
beforeEach(async () => {
  host.bench.more = '[metrics]\naddress = "127.0.0.1"\nport = 0\n';
  await host.bench.configure();
  await host.startBoth();
});

/** What a scrape says of the connection; libvirt is not asked for it. */
async function libvirtUp(): Promise<string | undefined> {
  const text = await (await fetch(`http://127.0.0.1:${await host.bench.port('metrics')}/metrics`)).text();
  return /^vmcall_libvirt_up (\d)$/m.exec(text)?.[1];
}

/** With what so many calls at once ended. */
const desireOften = (times: number): Promise<unknown[]> =>
  Promise.all(
    Array.from({ length: times }, () =>
      host.bench.client.desire(domain.uuid, 'vmcall').catch((error) => error.code),
    ),
  );

test('is said by enable at any number of calls, given up as LIBVIRT_LOST, and asked again when it goes on', {
  timeout: 150_000,
}, async () => {
  expect(await libvirtUp()).toBe('1');
  process.kill(host.libvirtd.pid, 'SIGSTOP');
  const many = desireOften(100);
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
  expect(await libvirtUp()).toBe('0');
  // On a busy machine the last of them may come when the connection is given up already.
  const codes = new Set(await many);
  expect(codes).toContain('LIBVIRT_SILENT');
  codes.delete('LIBVIRT_UNREACHABLE');
  expect(codes).toEqual(new Set(['LIBVIRT_SILENT']));
  expect(new Set(await desireOften(50))).toEqual(new Set(['LIBVIRT_UNREACHABLE']));
  process.kill(host.libvirtd.pid, 'SIGCONT');
  const connected = () => host.bench.agent.said.split('connected to libvirt').length - 1;
  await expect.poll(connected, { timeout: 30_000 }).toBe(2);
  await host.vmcall('enable', 'test');
  await host.bench.until(onVmcall);
  expect(await libvirtUp()).toBe('1');
  expect(host.bench.agent.child.exitCode).toBeNull();
});
