// SPDX-License-Identifier: Apache-2.0
// The listeners of those who watch, as a host agent's configuration has them.
import { once } from 'node:events';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hostCertificate } from '../../host-agent/enrolment/certificate.js';
import { buildTimeout, builtAddon } from './native/children.js';
import { HostBench } from './support/host-bench.js';

let bench: HostBench;
beforeAll(() => builtAddon(), buildTimeout);
beforeEach(async () => {
  bench = await HostBench.create('test:///default');
});
afterEach(() => bench.stop());

const listener = (name: string, port: number, address = '127.0.0.1') =>
  `[${name}]\naddress = "${address}"\nport = ${port}\n`;

async function reload(more: string): Promise<void> {
  bench.more = more;
  await bench.configure();
  bench.agent.child.kill('SIGHUP');
}

describe('those who watch', () => {
  test('are listened for nowhere unless it is said where; a reload starts and stops it', async () => {
    await bench.startAgent();
    expect(bench.agent.log.map(({ message }) => message)).not.toContain('listening for scrapes');
    await reload(listener('metrics', 0));
    const url = `http://127.0.0.1:${await bench.port('metrics')}/metrics`;
    await expect.poll(async () => (await fetch(url)).status, { timeout: 20_000 }).toBe(200);
    await reload('');
    await expect.poll(() => fetch(url).catch(() => 'refused'), { timeout: 20_000 }).toBe('refused');
  });

  test('are listened for as before if a new address cannot be had', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    bench.more = listener('metrics', 0);
    await bench.configure();
    await bench.startAgent();
    await bench.port('metrics');
    const { port } = taken.address() as AddressInfo;
    await reload(listener('metrics', port));
    await bench.agent.logged(`LISTEN_FAILED: metrics.address 127.0.0.1, metrics.port ${port}`);
    const again = await bench.port('metrics');
    expect((await fetch(`http://127.0.0.1:${again}/metrics`)).status).toBe(200);
    taken.close();
  });

  test('and guests are listened for once it can be: until then it is retried, and reported', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    bench.more = listener('metrics', port);
    await bench.configure({ address: '192.0.2.1' });
    await bench.startAgentAnywhere();
    const problem = async (what: string) =>
      (await bench.client.status()).unheard.find((one) => one.what === what)?.problem;
    await expect
      .poll(() => problem('guests').catch(String), { timeout: 20_000 })
      .toMatch(/LISTEN_FAILED: .*EADDRNOTAVAIL/);
    await expect.poll(() => problem('metrics'), { timeout: 20_000 }).toMatch(/LISTEN_FAILED: .*EADDRINUSE/);
    taken.close();
    await expect.poll(() => problem('metrics'), { timeout: 30_000 }).toBeUndefined();
    const scraped = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(scraped).toContain('vmcall_listening{for="guests"} 0');
    expect(scraped).toContain('vmcall_listening{for="metrics"} 1');
    await bench.configure();
    bench.agent.child.kill('SIGHUP');
    await expect.poll(() => problem('guests'), { timeout: 30_000 }).toBeUndefined();
  });

  test('are told where the agent listens, after a reload too', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    bench.more = listener('metrics', 0) + listener('web', port);
    await bench.configure();
    await bench.startAgent();
    const listening = async () => {
      const url = `http://127.0.0.1:${await bench.port('metrics')}/metrics`;
      const text = await (await fetch(url)).text();
      return [...text.matchAll(/^vmcall_listening\{for="(\w+)"\} (\d)$/gm)].map(
        ([, what, is]) => `${what} ${is}`,
      );
    };
    const told = () => listening().catch(String);
    await expect.poll(told, { timeout: 20_000 }).toEqual(['guests 1', 'metrics 1', 'web 0']);
    await reload(listener('metrics', 0) + listener('web', 0));
    await expect.poll(told, { timeout: 20_000 }).toEqual(['guests 1', 'metrics 1', 'web 1']);
    taken.close();
  });

  test("are answered by TLS with the host's certificate where others can listen", async () => {
    bench.more = listener('web', 0, '0.0.0.0');
    await bench.configure();
    await bench.startAgent();
    const port = await bench.port('web');
    const { fingerprint } = await hostCertificate(join(bench.folder, 'state'));
    const call = request({ host: '127.0.0.1', port, rejectUnauthorized: false }).end();
    const [response] = await once(call, 'response');
    expect(response.statusCode).toBe(200);
    expect(response.socket.getPeerCertificate().fingerprint256).toBe(fingerprint);
    expect(response.socket.getProtocol()).toBe('TLSv1.3');
    response.resume();
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  });
});
