// SPDX-License-Identifier: Apache-2.0
// The host agent's control socket, and what it refuses.
import { stat } from 'node:fs/promises';
import { request } from 'node:http';
import { beforeEach, describe, expect, test } from 'vitest';
import { controlLimits, readOnlySocket } from '../../src/control/schema.js';
import { Command } from '../guest-agent/support/processes.js';
import { domain } from './support/host-bench.js';
import { onInjected, TestHost } from './support/test-host.js';

const host = new TestHost();

describe('the control socket', () => {
  beforeEach(() => host.startBoth());

  function ask(
    method: string,
    path: string,
    body = '',
    socketPath = host.bench.socket,
  ): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const call = request({ socketPath, method, path }, (response) => {
        let text = '';
        response.on('data', (part: Buffer) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      call.on('error', reject);
      call.end(body);
    });
  }

  test('answers many clients of one process, one after the other and at once', async () => {
    const ask = () => host.bench.client.status();
    for (let i = 0; i < 100; i++) expect((await ask()).domains).toHaveLength(1);
    const all = await Promise.all(Array.from({ length: 100 }, ask));
    expect(all.every(({ domains }) => domains.length === 1)).toBe(true);
  });

  test('is asked again where the agent was killed between two questions', async () => {
    const { client } = host.bench;
    expect((await client.status()).domains).toHaveLength(1);
    await host.bench.agent.kill('SIGKILL');
    await host.bench.startAgent();
    await host.bench.agent.logged('"listening"');
    expect((await client.status()).format).toBe('vmcall-status');
  });

  test('is for root alone', async () => {
    expect((await stat(host.bench.socket)).mode & 0o777).toBe(0o600);
  });

  test('a group may ask on a socket of its own, and change nothing', async () => {
    const readers = readOnlySocket(host.bench.socket);
    await host.bench.configure({ readers: 'nogroup' });
    host.bench.agent.child.kill('SIGHUP');
    await host.bench.agent.logged('configuration reloaded');
    const { mode, gid } = await stat(readers);
    expect([mode & 0o777, gid]).toEqual([0o660, 65_534]);
    expect((await stat(host.bench.socket)).mode & 0o777).toBe(0o600);
    expect((await ask('GET', '/domains', '', readers)).status).toBe(200);
    const request = `{"domains":["${domain.uuid}"],"path":"poll"}`;
    const refused = await ask('PUT', '/desired', request, readers);
    expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('CONTROL_READ_ONLY')]);
    expect((await ask('POST', '/measurements', '{}', readers)).status).toBe(403);
    expect((await ask('POST', '/leases', '{}', readers)).status).toBe(403);

    await host.bench.configure({ readers: 'no-such-group' });
    host.bench.agent.child.kill('SIGHUP');
    await host.bench.agent.logged('there is no group no-such-group');
    // What was before goes on.
    expect((await ask('GET', '/domains', '', readers)).status).toBe(200);
    expect((await ask('GET', '/domains')).status).toBe(200);
  });

  const one = `"domains":["${domain.uuid}"]`;
  test.each([
    ['another resource', 'GET', '/secrets', '', 404],
    ['another method', 'DELETE', '/domains', '', 404],
    ['no such domain', 'GET', `/domains/${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}`, '', 404],
    ['a path for a domain', 'GET', '/domains/..%2f..', '', 404],
    ['a plan for another path', 'GET', `/domains/${domain.uuid}/plan/fast`, '', 404],
    ['no JSON', 'PUT', '/desired', '{', 400],
    ['another path', 'PUT', '/desired', `{${one},"path":"fast"}`, 400],
    ['no domain', 'PUT', '/desired', '{"domains":[],"path":"vmcall"}', 400],
    ['a member too many', 'PUT', '/desired', `{${one},"path":"vmcall","more":1}`, 400],
    ['a body too long', 'PUT', '/desired', ' '.repeat(controlLimits.requestBytes + 1), 400],
  ])('refuses %s', async (_what, method, path, body, status) => {
    const answer = await ask(method, path, body);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject({ code: expect.any(String), cure: expect.any(String) });
    await host.bench.until(onInjected);
  });

  test('is not taken from an agent that answers on it', async () => {
    const program = 'test/host-agent/support/agent-process.js';
    const second = Command.start([host.bench.file, host.bench.root], {}, program);
    expect(await second.exited).toEqual([1, null]);
    expect(second.said).toContain('CONTROL_IN_USE');
    await host.bench.until(onInjected);
  });
});
