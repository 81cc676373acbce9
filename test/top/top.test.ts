// SPDX-License-Identifier: Apache-2.0
// `vmcall top` in a real terminal, against a real host agent with a guest over TLS.
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { liveDomainSchema } from '../../src/protocol/live.js';
import { projectRoot } from '../../src/support/paths.js';
import { buildTimeout, builtAddon } from '../host-agent/native/children.js';
import { domain, type HostBench } from '../host-agent/support/host-bench.js';
import { startLiveBench } from '../host-agent/support/live-bench.js';
import { Tmux } from './tmux.js';

const main = join(projectRoot, 'dist/src/cli/main.js');

let live: ReturnType<typeof startLiveBench> | undefined;
let bench: HostBench;
beforeAll(() => builtAddon(), buildTimeout);
beforeEach(async () => {
  live ??= startLiveBench([]);
  ({ bench } = await live);
  await bench.client.desire(domain.uuid, 'vmcall');
  // The switch is over: until then what is in force may be asked once more.
  await bench.until({ actual: 'vmcall', phase: 'reached' });
});
afterAll(() => bench.stop());

const vmcall = (...words: string[]) =>
  execa(process.execPath, [main, 'top', '--socket', bench.socket, ...words], { reject: false });

/** The guest's traffic as a line of the table has it: 2,000 packets a second or what a busy machine makes of it. */
const row =
  /^test +vmcall +vmcall +\d+ +\d+ +\d+ +[\d.]+ .* \d+% +(2\.\d\d|3\.\d\d) +(3\.\d\d) +19\.0 +reached$/m;

describe('in a terminal', () => {
  let tmux: Tmux;
  beforeEach(async () => {
    tmux = await Tmux.start(140, 24);
    await tmux.type(`${process.execPath} ${main} top --socket ${bench.socket}; echo "ended with $?"`);
  });
  afterEach(() => tmux.stop());
  const shows = (what: RegExp | string) =>
    expect.poll(() => tmux.screen(), { timeout: 20_000 }).toMatch(what);

  test('shows the domain with paths, rates, wakes and latency, each second anew', async () => {
    await shows(row);
    const first = (await tmux.screen()).split('\n')[0];
    expect(first).toMatch(
      /^vmcall top - \d\d:\d\d:\d\d {3}1 domain, 1 running, 1 on the VM call, 0 blocked$/,
    );
    await expect.poll(async () => (await tmux.screen()).split('\n')[0], { timeout: 20_000 }).not.toBe(first);
    expect(await tmux.modes()).toEqual({ alternate: true, cursor: false });
  });

  test.each([
    ['q', 'q', 0],
    ['Ctrl-C', 'C-c', 0],
  ])('gives the terminal back at %s', async (_name, key, code) => {
    await shows(row);
    await tmux.key(key);
    await shows(`ended with ${code}`);
    expect(await tmux.modes()).toEqual({ alternate: false, cursor: true });
    expect(await tmux.screen()).not.toContain('DOMAIN');
    // Not raw any more: what is typed is echoed, and Enter is taken.
    await tmux.type('echo back again');
    await shows(/^back again$/m);
  });

  test('gives it back at SIGTERM, and for as long as it is stopped', async () => {
    await shows(row);
    await tmux.key('C-z');
    await shows(/Stopped/);
    expect(await tmux.modes()).toEqual({ alternate: false, cursor: true });
    await tmux.type('fg');
    await shows(row);
    expect(await tmux.modes()).toEqual({ alternate: true, cursor: false });
    for (const pid of await tmux.children()) process.kill(pid, 'SIGTERM');
    await expect.poll(() => tmux.modes(), { timeout: 20_000 }).toEqual({ alternate: false, cursor: true });
  });

  test('follows the size of the terminal, and drops what matters least', async () => {
    await shows(row);
    expect(await tmux.screen()).toMatch(/DESIRED .* TIMEOUT +INTR +KICK/);
    await tmux.resize(60, 10);
    await expect.poll(() => tmux.screen(), { timeout: 20_000 }).not.toMatch(/DESIRED|TIMEOUT/);
    const lines = (await tmux.screen()).split('\n');
    expect(lines.some((line) => /^DOMAIN +ACTUAL +RX\/s .*P50 us +P99 us +MAX us/.test(line))).toBe(true);
    expect(lines.length).toBeLessThanOrEqual(10);
  });

  test('says that the agent is gone, and goes on when it is back', async () => {
    await shows(row);
    await bench.agent.kill('SIGKILL');
    await shows(/retrying/);
    await bench.startAgent();
    await expect.poll(() => tmux.screen(), { timeout: 20_000 }).not.toMatch(/retrying/);
    // libvirt's test driver has forgotten what was desired; the guest is measured again.
    await shows(/^test +injected +injected +\d+ /m);
  });
});

describe('without a terminal', () => {
  test('--json prints a document a line, as often as asked', async () => {
    const { stdout, exitCode } = await vmcall('--json', '-n', '2');
    expect(exitCode).toBe(0);
    const documents = stdout.split('\n').map((line) => JSON.parse(line));
    expect(documents).toHaveLength(2);
    for (const document of documents) {
      expect(document).toMatchObject({ format: 'vmcall-top', version: 1, libvirt: true, left_out: 0 });
      expect(liveDomainSchema.parse(document.domains[0])).toMatchObject({
        name: 'test',
        state: 'running',
        desired: 'vmcall',
        actual: 'vmcall',
        session: true,
      });
    }
  });

  test('prints table after table', async () => {
    const { stdout } = await vmcall('-n', '3');
    expect(stdout.match(/^DOMAIN .*STATE$/gm)).toHaveLength(3);
    expect(stdout).not.toContain('\x1b');
  });

  test('ends quietly when its reader has seen enough', async () => {
    const script = `"$0" "$1" top --socket "$2" | head -n 2; echo "${'$'}{PIPESTATUS[0]}"`;
    const { stdout, stderr } = await execa('bash', ['-c', script, process.execPath, main, bench.socket]);
    expect(stdout.split('\n').at(-1)).toBe('0');
    expect(stderr).toBe('');
  });

  test('no agent there: says so and ends with 1', async () => {
    const { exitCode, stderr } = await execa(
      process.execPath,
      [main, 'top', '--socket', join(bench.folder, 'none.sock')],
      { reject: false },
    );
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/^HOST_AGENT_/)]);
  });
});
