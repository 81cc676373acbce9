// SPDX-License-Identifier: Apache-2.0
// Both agents as processes, and the dataplane's stand-in, each killed at each stage of a switch; and guests who are not
// who they should be. What is awaited is in each test's name.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { closeCodes } from '../../src/protocol/codes.js';
import { isAlive } from '../guest-agent/support/processes.js';
import { basic, RawGuest } from './support/host.js';
import { domain } from './support/host-bench.js';
import { RealHost } from './support/test-host.js';

const host = new RealHost();

const onVmcall = {
  desired: 'vmcall',
  actual: 'vmcall',
  phase: 'reached',
  reason: null,
  guest: { health: { path: 'vmcall', wanted: 'vmcall', upheld: true } },
};
const onInjected = {
  desired: 'injected',
  actual: 'injected',
  phase: 'reached',
  reason: null,
  guest: { health: { path: 'injected', wanted: 'injected' } },
};
const dataplane = () => host.realGuest.dataplanePid ?? Number.NaN;

/** Brings the switch to a stage, leaves it there while `at` happens, and lets it go on. */
const stages: Record<string, (at: () => Promise<void>) => Promise<'vmcall' | 'injected'>> = {
  'before the switch': async (at) => {
    await at();
    await host.desire('vmcall');
    return 'vmcall';
  },
  'while the guest is asked to switch to the VM call': async (at) => {
    process.kill(dataplane(), 'SIGSTOP');
    const stopped = dataplane();
    await host.desire('vmcall');
    await expect.poll(() => host.bench.switches(), { timeout: 10_000 }).toEqual(['1', '1']);
    await at();
    if (isAlive(stopped)) process.kill(stopped, 'SIGCONT');
    return 'vmcall';
  },
  'on the VM-call path': async (at) => {
    await host.desire('vmcall');
    await host.bench.until(onVmcall);
    await at();
    return 'vmcall';
  },
  'while the guest is asked to go back': async (at) => {
    await host.desire('vmcall');
    await host.bench.until(onVmcall);
    process.kill(dataplane(), 'SIGSTOP');
    const stopped = dataplane();
    await host.desire('injected');
    await host.bench.until({ desired: 'injected' });
    await at();
    if (isAlive(stopped)) process.kill(stopped, 'SIGCONT');
    return 'injected';
  },
};

async function arrives(path: 'vmcall' | 'injected'): Promise<void> {
  await host.bench.until(path === 'vmcall' ? onVmcall : onInjected);
  const value = path === 'vmcall' ? '1' : '0';
  await expect.poll(() => host.bench.switches(), { timeout: 10_000 }).toEqual([value, value]);
}

const slow = { timeout: 90_000 };

describe.each(Object.entries(stages))('kill -9 %s', (_stage, bring) => {
  test(
    'of the guest agent: the dataplane goes on, the next agent takes it over, the desired path is reached',
    slow,
    async () => {
      let pid = 0;
      const path = await bring(async () => {
        pid = dataplane();
        await host.realGuest.agent.kill('SIGKILL');
        expect(isAlive(pid)).toBe(true);
        host.realGuest.startAgent();
      });
      await arrives(path);
      expect(dataplane()).toBe(pid);
    },
  );

  test('of the dataplane: it is started again, and the desired path is reached', slow, async () => {
    let pid = 0;
    const path = await bring(async () => {
      pid = dataplane();
      process.kill(pid, 'SIGKILL');
      await expect
        .poll(() => host.realGuest.agent.said, { timeout: 10_000 })
        .toContain('the dataplane ended');
    });
    // What the host agent was told before must not pass for what it is told now.
    await expect.poll(dataplane, { timeout: 20_000 }).not.toBe(pid);
    await arrives(path);
  });

  test(
    'of the host agent: the guest stays as it is until the next one, which reaches the desired path',
    slow,
    async () => {
      const path = await bring(async () => {
        await host.bench.agent.kill('SIGKILL');
        expect(isAlive(dataplane())).toBe(true);
        await host.bench.startAgent();
      });
      await arrives(path);
    },
  );

  test(
    'of libvirtd: said as LIBVIRT_LOST, no traffic stopped; once it is back the desired path is reached',
    slow,
    async () => {
      const path = await bring(async () => {
        await host.libvirt.close();
        await host.libvirtd.stop();
        await host.bench.until({ phase: 'blocked', reason: { code: 'LIBVIRT_LOST' } });
        expect(isAlive(dataplane())).toBe(true);
        await host.connect(host.libvirtd.folder);
      });
      // The test driver keeps nothing over its end; libvirt's others do.
      await host.desire(path);
      await arrives(path);
    },
  );
});

describe('a guest that is not who it should be', () => {
  test('lies about its path: shown as unknown with YIELDS_MISSING, by the count of KVM', slow, async () => {
    await host.realGuest.stop();
    await host.startGuestAgent({ honest: false });
    await host.desire('vmcall');
    const status = await host.bench.until({
      desired: 'vmcall',
      actual: 'unknown',
      phase: 'blocked',
      reason: { code: 'YIELDS_MISSING' },
      guest: { health: { path: 'vmcall', upheld: true } },
    });
    expect(status.kvm.yields).toBe(0);
  });

  test('has a wrong secret: refused, logged with the fix; traffic stays on its path', slow, async () => {
    await host.desire('vmcall');
    await host.bench.until(onVmcall);
    const pid = dataplane();
    await host.bench.enroll();
    await host.realGuest.agent.kill('SIGKILL');
    host.realGuest.startAgent();
    await host.realGuest.agent.logged('HOST_REFUSED_SECRET');
    await host.realGuest.agent.logged('vmcall enroll');
    await host.bench.until({ phase: 'blocked', reason: { code: 'GUEST_ABSENT' }, guest: null });
    // Its host tells whose secret was wrong, and where it came from; not what it was.
    await host.bench.agent.logged(`"secrets":{"${domain.uuid} from 127.0.0.1":`);
    expect(host.bench.agent.said).not.toContain(await host.realGuest.secret());
    expect([isAlive(pid), ...(await host.bench.switches())]).toEqual([true, '1', '1']);
  });

  test('sees another certificate: it sends no secret, says so; traffic stays on its path', slow, async () => {
    await host.desire('vmcall');
    await host.bench.until(onVmcall);
    const pid = dataplane();
    await host.bench.agent.kill('SIGKILL');
    await rm(join(host.bench.folder, 'state', 'certificate.pem'));
    await host.bench.startAgent();
    await host.realGuest.agent.logged('HOST_CERTIFICATE');
    await host.bench.until({ phase: 'blocked', reason: { code: 'GUEST_ABSENT' }, guest: null });
    expect([isAlive(pid), ...(await host.bench.switches())]).toEqual([true, '1', '1']);
  });

  test.each([
    ['of another version', { versions: [2] }, closeCodes.noCommonVersion],
    ['of another name', { domain: '0b9e2f6c-7a4d-4b6e-9c11-2f8d4e6a1b3c' }, closeCodes.wrongIdentity],
  ])('is %s: refused, and the guest that is there keeps its session', slow, async (_what, hello, code) => {
    await host.desire('vmcall');
    await host.bench.until(onVmcall);
    const secret = await host.realGuest.secret();
    const { href } = host.bench.guestUrl;
    const raw = await RawGuest.connect(href, { authorization: basic(domain.uuid, secret) });
    raw.hello(domain.uuid, hello);
    expect(await raw.closed).toMatchObject({ code });
    await host.bench.until(onVmcall);
    expect(host.realGuest.agent.said).not.toContain('session lost');
  });
});
