// SPDX-License-Identifier: Apache-2.0
// The host agent killed at each stage of a switch: the next one goes on.
import { stat } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { onInjected, onVmcall, TestHost } from './support/test-host.js';

const host = new TestHost();

describe('a host agent that is killed', () => {
  test.each([
    ['before it allows', 'vcpu_yield=1'],
    ['between the two switches', 'vcpu_yield=1+'],
    ['after it allowed', 'irqfd_hardirq=1+'],
  ])('%s goes on from there', async (_when, dieAt) => {
    await host.startBoth();
    await host.bench.agent.kill('SIGKILL');
    await host.desire('vmcall');
    await host.bench.startAgent(dieAt);
    expect(await host.bench.agent.exited).toEqual([null, 'SIGKILL']);
    expect(host.guest.path).toBe('injected');
    await host.bench.startAgent();
    await host.bench.until(onVmcall);
    expect(host.guest.told).toEqual(['vmcall']);
  });

  test.each([
    ['before it forbids', 'vcpu_yield=0'],
    ['between the two switches, on the way back', 'vcpu_yield=0+'],
    ['after it forbade', 'irqfd_hardirq=0+'],
  ])('%s goes on from there', async (_when, dieAt) => {
    await host.startBoth();
    await host.vmcall('enable', 'test');
    await host.bench.agent.kill('SIGKILL');
    await host.desire('injected');
    await host.bench.startAgent(dieAt);
    expect(await host.bench.agent.exited).toEqual([null, 'SIGKILL']);
    await host.bench.startAgent();
    await host.bench.until({ ...onInjected, guest: { health: { path: 'injected', wanted: 'injected' } } });
    expect(await host.bench.switches()).toEqual(['0', '0']);
  });

  test.each(['vmcall', 'injected'] as const)('while the guest switches to %s', async (path) => {
    await host.startBoth();
    if (path === 'injected') await host.vmcall('enable', 'test');
    host.guest.onTold = () => void host.bench.agent.child.kill('SIGKILL');
    await host.vmcall(path === 'vmcall' ? 'enable' : 'disable', 'test', '--no-wait');
    await host.bench.agent.exited;
    host.guest.onTold = () => {};
    await host.bench.startAgent();
    await host.bench.until(path === 'vmcall' ? onVmcall : onInjected);
  });

  test('on the path leaves the guest on it, and the next one finds it there', async () => {
    await host.startBoth();
    await host.vmcall('enable', 'test');
    await host.bench.agent.kill('SIGKILL');
    expect(await host.bench.switches()).toEqual(['1', '1']);
    await host.bench.startAgent();
    await host.bench.until(onVmcall);
    expect(host.guest.told).toEqual(['vmcall']);
  });

  test('by SIGTERM too, with exit code 0 and its socket gone', async () => {
    await host.startBoth();
    await host.vmcall('enable', 'test');
    host.bench.agent.child.kill('SIGTERM');
    expect(await host.bench.agent.exited).toEqual([0, null]);
    expect([host.guest.path, ...(await host.bench.switches())]).toEqual(['vmcall', '1', '1']);
    await expect(stat(host.bench.socket)).rejects.toThrow('ENOENT');
    const { exitCode, stderr } = await host.vmcall('status');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^HOST_AGENT_ABSENT: .*\n {2}Start it: systemctl start vmcall-host-agent/);
  });
});
