// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { cp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPackages } from '../../packaging/build/packages.js';
import type { Status } from '../../src/control/schema.js';
import { supported } from '../../src/setup/supported.js';
import { projectRoot } from '../../src/support/paths.js';
import { stderrProgress } from '../../src/support/progress.js';
import { containerRoot } from './container-root.js';
import { Containers, type Side } from './containers.js';
import { stepsOf } from './deploy-steps.js';
import { listFiles } from './files.js';
import { repackAs } from './repack.js';

const document = await readFile(join(projectRoot, 'docs', 'deploy.md'), 'utf8');
const fixtures = join(projectRoot, 'test', 'packaging', 'fixtures');
/** The version that is upgraded to. */
const next = '0.1.0+next';
const minutes = 60_000;
/** libvirt's test driver in place of QEMU, with the domain of the document. */
const uri = 'test:///srv/vmcall-packages/libvirt-test.xml';

describe.each(supported.distributions)('docs/deploy.md on $codename', (distribution) => {
  let containers: Containers;
  let repository = '';
  const before = new Map<Side, Map<string, string>>();

  /** Exit code 0, or the test says what it printed. */
  async function run(side: Side, command: string): Promise<string> {
    const { exitCode, all, stdout } = await containers.run(side, command);
    expect(exitCode, `${side}# ${command}\n${all}`).toBe(0);
    return stdout;
  }

  /** Every command under these headings that a container can run. */
  async function follow(...titles: string[]): Promise<void> {
    const steps = stepsOf(document).filter(({ title }) => titles.some((each) => title.startsWith(each)));
    expect(steps.length).toBeGreaterThan(0);
    for (const { side, command, needs } of steps) if (needs === undefined) await run(side, command);
  }

  beforeAll(async () => {
    const progress = stderrProgress();
    const built = await buildPackages(distribution, progress);
    repository = mkdtempSync(join(tmpdir(), 'vmcall-repository-'));
    await cp(built, repository, { recursive: true });
    containers = await Containers.boot(await containerRoot(distribution, progress), repository);
    // The release's own archive is out of reach there: apt takes what is needed from the packages or what is installed.
    for (const side of ['host', 'guest'] as const) {
      await run(side, 'rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*');
      before.set(side, await listFiles(containers, side));
    }
  }, 20 * minutes);
  afterAll(async () => {
    await containers?.stop();
    rmSync(repository, { recursive: true, force: true });
  });

  test('neither side has a compiler or npm', async () => {
    for (const side of ['host', 'guest'] as const)
      for (const tool of ['gcc', 'make', 'npm'])
        expect((await containers.run(side, `command -v ${tool}`)).exitCode, tool).not.toBe(0);
  });

  test('the packages are offered, and the host agent runs', { timeout: 5 * minutes }, async () => {
    await follow('1.', '2.');
    await cp(join(fixtures, 'libvirt-test.xml'), join(repository, 'libvirt-test.xml'));
    const steps = stepsOf(document).filter(
      ({ title, needs }) => title.startsWith('3.') && needs === undefined,
    );
    for (const { side, command } of steps) {
      await run(side, command);
      if (command.startsWith('apt-get install'))
        await run(side, `sed -i 's|^#uri = .*|uri = "${uri}"|' /etc/vmcall/host-agent.toml`);
    }
    expect(await run('host', 'vmcall status')).toContain('dpdk0');
  });

  test('the guest is enrolled, and its session opens', { timeout: 5 * minutes }, async () => {
    await follow('6.');
    const file = await run('host', 'cat guest-agent.toml');
    // By a safe way; and a program without a NIC, which a container has not.
    const program = `path = "poll"\\neal_arguments = ["-l", "0", "--no-pci", "--vdev=net_null0", "--no-huge", "-m", "64"]`;
    const adapted = file.replace(/^eal_arguments = .*$/m, '').replace(/^path = .*$/m, '');
    await run(
      'guest',
      `cat >guest-agent.toml <<'END'\n${adapted}\nEND\nprintf '${program}\\n' >>guest-agent.toml`,
    );
    await follow('7.');
    const actual = async () => {
      const { stdout } = await containers.run('host', 'vmcall status dpdk0 --json');
      return (JSON.parse(stdout) as Status).domains.map(({ actual: path }) => path);
    };
    await expect.poll(actual, { timeout: minutes, interval: 500 }).toEqual(['poll']);
  });

  test('a member of the group may ask and change nothing, others may not ask', async () => {
    await run('host', 'useradd --groups vmcall reader && useradd stranger');
    expect(await run('host', 'runuser -u reader -- vmcall status')).toContain('dpdk0');
    const changed = await containers.run('host', 'runuser -u reader -- vmcall disable dpdk0');
    expect([changed.exitCode, changed.all]).toEqual([1, expect.stringContaining('CONTROL_READ_ONLY')]);
    const asked = await containers.run('host', 'runuser -u stranger -- vmcall status');
    expect([asked.exitCode, asked.all]).toEqual([1, expect.stringContaining('HOST_AGENT_FORBIDDEN')]);
    await run('host', 'userdel reader; userdel stranger');
  });

  test('the command says what it is, and has its pages and completions', async () => {
    for (const side of ['host', 'guest'] as const) {
      expect(await run(side, 'vmcall --version')).toMatch(
        /^vmcall 0\.1\.0 \(\w+.*\)\nseries for Linux \d+\.\d+(?:, \d+\.\d+)*$/,
      );
      const help = await run(side, 'vmcall --help');
      expect(help).not.toMatch(/^ {2}(?:lab|test|bench) /m);
      expect(Math.max(...help.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80);
      await run(side, 'bash -n /usr/share/bash-completion/completions/vmcall');
      for (const verb of ['check', 'status', 'tune'])
        await run(side, `test -s /usr/share/man/man1/vmcall-${verb}.1.gz`);
    }
  });

  test('units are confined', async () => {
    for (const [side, unit, most] of [
      ['host', 'vmcall-host-agent', 4],
      ['guest', 'vmcall-guest-agent', 4],
    ] as const) {
      const said = await run(side, `systemd-analyze security --no-pager ${unit} | tail -1`);
      expect(Number(/: (\d+\.\d)/.exec(said)?.[1]), said).toBeLessThan(most);
    }
  });

  test('an upgrade and a downgrade keep configuration and enrolment', { timeout: 5 * minutes }, async () => {
    const kept =
      'cat /etc/vmcall/host-agent.toml; cd /var/lib/vmcall/host && find . -type f | sort | xargs sha256sum';
    const [onHost, onGuest] = [
      await run('host', kept),
      await run('guest', 'cat /etc/vmcall/guest-agent.toml'),
    ];
    await repackAs(next, repository);
    for (const [version, side, packages] of [
      [next, 'host', ['vmcall-host', 'vmcall-common']],
      [next, 'guest', ['vmcall-guest', 'vmcall-common']],
      ['0.1.0', 'host', ['vmcall-host', 'vmcall-common']],
      ['0.1.0', 'guest', ['vmcall-guest', 'vmcall-common']],
    ] as const) {
      const wanted = packages.map((name) => `${name}=${version}`).join(' ');
      await run(side, `apt-get update && apt-get install -y --allow-downgrades ${wanted}`);
      await run(side, `systemctl is-active vmcall-${side}-agent`);
    }
    expect(await run('host', kept)).toBe(onHost);
    expect(await run('guest', 'cat /etc/vmcall/guest-agent.toml')).toBe(onGuest);
  });

  test('a purge leaves nothing', { timeout: 5 * minutes }, async () => {
    await follow('9.');
    for (const side of ['host', 'guest'] as const) {
      await run(side, 'rm -f /etc/apt/sources.list.d/vmcall.list /root/guest-agent.toml');
      expect(await listFiles(containers, side)).toEqual(before.get(side));
    }
  });
});
