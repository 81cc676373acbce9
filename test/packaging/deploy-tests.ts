// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { cp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildPackages } from '../../packaging/build/packages.js';
import type { Status } from '../../src/control/schema.js';
import type { SupportedDistribution } from '../../src/setup/supported.js';
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

/** The document's tests, on containers of one release. */
export function deployTests(distribution: SupportedDistribution): void {
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

  test('the command says what it is, and has its pages and completions', {
    timeout: 5 * minutes,
  }, async () => {
    for (const side of ['host', 'guest'] as const) {
      expect(await run(side, 'vmcall --version')).toMatch(
        /^vmcall 0\.1\.0 \(\w+.*\)\nseries for Linux \d+\.\d+(?:, \d+\.\d+)*$/,
      );
      const help = await run(side, 'vmcall --help');
      expect(help).not.toMatch(/^ {2}(?:lab|test|bench) /m);
      expect(Math.max(...help.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80);
      await run(side, 'bash -n /usr/share/bash-completion/completions/vmcall');
      const verbs = [...help.matchAll(/^ {2}([a-z][a-z-]+) /gm)].map(([, verb = '']) => verb);
      expect(verbs.length).toBeGreaterThan(15);
      for (const verb of verbs.filter((name) => name !== 'help' && (name !== 'probe' || side === 'host')))
        await run(
          side,
          `test -s /usr/share/man/man1/vmcall-${verb}.1.gz && vmcall ${verb} --help >/dev/null`,
        );
    }
    await run('guest', 'test -s /usr/share/man/man1/vmcall-telemetry.1.gz');
    await run('guest', 'test -s /usr/share/man/man8/vmcall-dataplane.8.gz');
  });

  test('every verb answers an ordinary user in words', { timeout: 5 * minutes }, async () => {
    await run('host', 'useradd stranger');
    const asked = [
      ...['check dpdk0', 'tune plan dpdk0', 'tune apply dpdk0', 'tune restore', 'cstates --cpu 0 -- true'],
      ...['status', 'top', 'enable dpdk0', 'disable dpdk0', 'forget dpdk0', 'run dpdk0', 'probe --wakes 10'],
      ...['enroll dpdk0 --host 127.0.0.1', 'enroll --list', 'revoke dpdk0', 'rotate dpdk0'],
      ...['host-agent', 'guest-agent', 'report none', 'compare none none', 'export --format csv none'],
    ];
    try {
      for (const words of asked) {
        const { exitCode, all } = await containers.run('host', `runuser -u stranger -- vmcall ${words}`);
        expect(exitCode, `${words}: ${all}`).toBeGreaterThan(0);
        expect(all, words).not.toMatch(/^\s+at .*:\d+|node:internal/m);
        expect(all, words).toMatch(/\w+ \w+/);
      }
    } finally {
      await run('host', 'userdel stranger');
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

  test('the host agent does in its unit all that it does to a host', { timeout: 5 * minutes }, async () => {
    for (const file of ['vm.pl', 'in-the-unit.sh']) await cp(join(fixtures, file), join(repository, file));
    // KVM's files as the series has them, of a VM that is there.
    await run('host', 'mkdir -p /home/somebody && useradd qemu-user && mount -t tmpfs tmpfs /sys/kernel');
    await run('host', 'install -m 644 /srv/vmcall-packages/vm.pl /run && systemctl reset-failed');
    await run('host', 'systemd-run --unit=vm --uid=qemu-user perl /run/vm.pl');
    const pid = (await run('host', 'systemctl show vm --property=MainPID --value')).trim();
    const kvm = `/sys/kernel/kvm/${pid}-12`;
    await run('host', `mkdir -p ${kvm} /sys/kernel/tracing/instances && cd ${kvm} && echo 0 >vcpu_yield`);
    await run('host', `cd ${kvm} && for f in irqfd_hardirq vcpu_yields doorbell_rings; do echo 0 >$f; done`);
    const status = async () => {
      const { stdout } = await containers.run('host', 'vmcall status dpdk0 --json');
      return (JSON.parse(stdout) as Status).domains[0];
    };
    // Its unit has mounts of its own, from its start.
    await run('host', 'systemctl restart vmcall-host-agent');
    await expect
      .poll(status, { timeout: minutes })
      .toMatchObject({ kvm: { support: 'present' }, guest: { health: { path: 'poll' } } });
    // A program without a NIC refuses the VM call: KVM's switches go on, and off again.
    const enabled = await containers.run('host', 'vmcall enable dpdk0');
    expect([enabled.exitCode, enabled.all]).toEqual([1, expect.stringContaining('PATH_REFUSED')]);
    const log = await run('host', 'journalctl -u vmcall-host-agent --output=cat --no-pager');
    for (const step of ['allow', 'forbid']) expect(log).toContain(`"step":"${step}","message":"step done"`);
    expect(await run('host', `cat ${kvm}/vcpu_yield`)).toBe('0');
    await run('host', 'vmcall enable --path poll dpdk0');
    expect(await status()).toMatchObject({ desired: 'poll', actual: 'poll', phase: 'reached' });
    await run('host', 'vmcall forget --no-wait dpdk0');
    // Watched, reloaded, and its guests' secrets.
    await run('host', `printf '[metrics]\naddress = "127.0.0.1"\n' >>/etc/vmcall/host-agent.toml`);
    await run('host', 'systemctl reload vmcall-host-agent && vmcall top --json -n 2');
    const get = `exec 3<>/dev/tcp/127.0.0.1/8647; printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3; cat <&3`;
    expect(await run('host', `bash -c ${JSON.stringify(get)}`)).toContain('vmcall_guest_session_up');
    await run('host', 'vmcall rotate dpdk0 --host 192.168.122.1 --output next.toml && vmcall enroll --list');
    // Threads of other users, and what it must not.
    const unit = '/run/systemd/system/vmcall-probe.service';
    const command = `ExecStart=/bin/sh /srv/vmcall-packages/in-the-unit.sh ${pid}`;
    await run(
      'host',
      `sed 's|^ExecStart=.*|${command}|; s/^Type=.*/Type=oneshot/; /^WatchdogSec=/d; /^Restart=/d; /^RuntimeDirectory=/d' \
        "$(systemctl show vmcall-host-agent --property=FragmentPath --value)" >${unit} && systemctl daemon-reload`,
    );
    const probed = await containers.run('host', 'systemctl start vmcall-probe');
    expect(probed.exitCode, await run('host', 'journalctl -u vmcall-probe --output=cat --no-pager')).toBe(0);
    await run('host', `rm ${unit} next.toml /run/vm.pl && systemctl daemon-reload && systemctl stop vm`);
    await run('host', 'userdel qemu-user && rmdir /home/somebody && umount /sys/kernel');
  });

  test('an agent that stands still or is killed is started again; one that cannot use its file is not', {
    timeout: 5 * minutes,
  }, async () => {
    for (const side of ['host', 'guest'] as const) {
      const unit = `vmcall-${side}-agent`;
      const file = `/etc/vmcall/${side}-agent.toml`;
      const shown = (name: string) => run(side, `systemctl show ${unit} --property=${name} --value`);
      const isBack = (times: string) =>
        expect
          .poll(async () => [await shown('NRestarts'), await shown('ActiveState')], { timeout: minutes })
          .toEqual([times, 'active']);
      expect(Number(await shown('MemoryMax'))).toBeLessThanOrEqual(2 ** 31);
      expect(await shown('WatchdogUSec')).toBe('1min');
      // The same watchdog, sooner.
      const more = `/run/systemd/system/${unit}.service.d`;
      await run(side, `mkdir -p ${more} && printf '[Service]\nWatchdogSec=6\n' >${more}/test.conf`);
      await run(side, `systemctl daemon-reload && systemctl restart ${unit}`);
      // It is told in time that all is well.
      await run(side, 'sleep 15');
      await isBack('0');
      await run(side, `kill -STOP "$(systemctl show ${unit} --property=MainPID --value)"`);
      await isBack('1');
      expect(await run(side, `journalctl -u ${unit} --output=cat --no-pager`)).toContain('Watchdog timeout');
      await run(side, `kill -KILL "$(systemctl show ${unit} --property=MainPID --value)"`);
      await isBack('2');
      await run(side, `cp -p ${file} /root/kept && echo nonsense >>${file}`);
      await containers.run(side, `systemctl restart ${unit}`);
      await expect.poll(() => shown('ActiveState'), { timeout: minutes }).toBe('failed');
      expect([await shown('ExecMainStatus'), await shown('NRestarts')]).toEqual(['3', '0']);
      await run(side, `mv /root/kept ${file} && rm -r ${more} && systemctl daemon-reload`);
      await run(side, `systemctl reset-failed ${unit} && systemctl start ${unit}`);
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
}
