// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Status } from '../../../src/control/schema.js';
import { generatorResultSchema } from '../../../src/results/generator-result.js';
import { buildGenerator } from '../../../src/setup/artifacts.js';
import { supported } from '../../../src/setup/supported.js';
import { projectRoot } from '../../../src/support/paths.js';
import { stderrProgress } from '../../../src/support/progress.js';
import type { Side } from '../containers.js';
import { type Step, stepsOf } from '../deploy-steps.js';
import { type Disks, makeDisks, updateKernel } from './disks.js';
import { dpdkNic, Machines, senderMac } from './machines.js';

const minutes = 60_000;
const document = await readFile(join(projectRoot, 'docs', 'deploy.md'), 'utf8');
const firstPort = 22_200;
/** An emulated machine does in minutes what another does in seconds. */
const patience = 20 * minutes;
const packets = 100;

/** One release alone: VMCALL_RELEASE=12. */
const releases = supported.distributions.filter(
  ({ version }) => process.env.VMCALL_RELEASE === undefined || process.env.VMCALL_RELEASE === version,
);

describe.each(releases)('docs/deploy.md on emulated machines with $codename', (distribution) => {
  let folder = '';
  let disks: Disks;
  let machines: Machines;
  /** The NIC's address in the guest. */
  let nic = '';
  const options = () => ({
    disk: disks.host,
    key: disks.key,
    folder,
    port: firstPort + Number(distribution.version),
  });

  beforeAll(async () => {
    folder = mkdtempSync(join(process.env.VMCALL_DISKS ?? tmpdir(), 'vmcall-deploy-lab-'));
    disks = await makeDisks(distribution, folder, stderrProgress());
    machines = Machines.start(options());
    await machines.booted('host');
  }, 180 * minutes);
  afterAll(() => {
    machines?.kill();
    if (process.env.VMCALL_DISKS === undefined) rmSync(folder, { recursive: true, force: true });
  });

  async function run(side: Side, command: string): Promise<string> {
    const { exitCode, all, stdout } = await machines.run(side, command);
    expect(exitCode, `${side}# ${command}\n${all}`).toBe(0);
    return stdout;
  }

  /** The commands under a heading of the document, with what a reader has to change in them. */
  async function follow(title: string, isWanted: (step: Step) => boolean = () => true): Promise<void> {
    const steps = stepsOf(document).filter((step) => step.title.startsWith(title) && isWanted(step));
    expect(steps.length).toBeGreaterThan(0);
    for (const { side, command } of steps) {
      if (command === 'systemctl reboot') await machines.reboot(side);
      else await run(side, command.replace('0000:06:00.0', nic));
    }
  }

  /** How the domain stands. */
  async function domain() {
    const { stdout } = await machines.run('host', 'vmcall status dpdk0 --json');
    return stdout === '' ? undefined : (JSON.parse(stdout) as Status).domains[0];
  }
  const reaches = (path: string) =>
    expect.poll(async () => (await domain())?.actual, { timeout: patience, interval: 5_000 }).toBe(path);

  /** Packets from the host's other NIC; the guest sends each back. */
  async function expectPackets(): Promise<void> {
    const found = await run('host', `grep -l ${senderMac} /sys/class/net/*/address`);
    const name = found.split('/')[4] ?? '';
    await run('host', `ip link set ${name} up promisc on arp off; sleep 5`);
    const words = `--interface ${name} --count ${packets} --interval-us 50000 --linger-ms 1000 --late-us 1000000 --json`;
    const sent = generatorResultSchema.parse(
      JSON.parse(await run('host', `/root/vmcall-generator ${words}`)),
    );
    expect(sent.received, JSON.stringify(sent)).toBe(packets);
  }

  test('1 to 3: repository, modules, kernel command line, agent', { timeout: 3 * patience }, async () => {
    await follow('1.', ({ side }) => side === 'host');
    // Built by the disk's system in a container, or it would take an hour.
    await follow('2.', ({ command }) => !command.startsWith('apt-get install'));
    await follow('3.');
    expect(await run('host', 'uname -r')).toBe(disks.kernels[0].release);
  });

  test('4 and 5: the example domain, its guest, tuning', { timeout: 3 * patience }, async () => {
    await run('host', adaptExample);
    await follow('4.');
    await machines.booted('guest');
    nic = await run('guest', "lspci -D -d 8086:10d3 | cut -d' ' -f1");
    await follow('5.');
    const check = await machines.run('host', 'vmcall check dpdk0');
    expect([0, 1], check.all).toContain(check.exitCode);
  });

  test('6 and 7: enrolment, and the guest', { timeout: 4 * patience }, async () => {
    await follow('6.');
    const file = (await run('host', 'cat guest-agent.toml')).replace('0000:06:00.0', nic);
    await run('guest', `cat >guest-agent.toml <<'END'\n${file}\nEND`);
    await follow('1.', ({ side }) => side === 'guest');
    await follow('7.');
    await reaches('injected');
  });

  test('8: the VM call, packets, a run, a report, and back', { timeout: 3 * patience }, async () => {
    const { host, port, key } = { ...options(), host: 'root@127.0.0.1' };
    const generator = join(await buildGenerator(stderrProgress()), 'vmcall-generator');
    await execa('scp', [
      ...['-q', '-i', key, '-P', String(port), '-o', 'StrictHostKeyChecking=no'],
      ...['-o', 'UserKnownHostsFile=/dev/null', generator, `${host}:/root/vmcall-generator`],
    ]);
    await follow('8.', ({ command }) => /^vmcall (?:enable|status)/.test(command));
    expect((await domain())?.actual).toBe('vmcall');
    await expectPackets();
    await follow('8.', ({ command }) => /^vmcall (?:run|report)/.test(command));
    expect(await run('host', 'head -c 15 report.html')).toMatch(/^<!doctype html>/i);
    await follow('8.', ({ command }) => command.startsWith('vmcall disable'));
    await reaches('injected');
    await expectPackets();
  });

  test('a reboot of the guest, and of the host: all is back by itself', {
    timeout: 6 * patience,
  }, async () => {
    await run('host', 'vmcall enable dpdk0');
    await machines.reboot('guest');
    await reaches('vmcall');
    await expectPackets();
    await machines.reboot('host');
    await machines.booted('guest');
    await reaches('vmcall');
    await expectPackets();
    expect(await run('host', 'vmcall tune plan dpdk0 --json')).not.toContain('"place"');
  });

  test('a kernel update: the next kernel has the modules too', { timeout: 6 * patience }, async () => {
    await machines.powerOff();
    await updateKernel(disks);
    machines = Machines.start(options());
    await machines.booted('host');
    expect(await run('host', 'uname -r')).toBe(disks.kernels[1].release);
    await run('host', 'modinfo -n kvm | grep updates/dkms');
    await machines.booted('guest');
    await reaches('vmcall');
    await expectPackets();
  });

  test('rollback: without the modules traffic goes on, injected', { timeout: 6 * patience }, async () => {
    await run('host', 'apt-get purge -y vmcall-kvm-dkms');
    await machines.reboot('host');
    await machines.booted('guest');
    expect(
      (await machines.run('host', 'test -e /sys/module/kvm/parameters/irqfd_hardirq_max')).exitCode,
    ).toBe(1);
    await reaches('injected');
    expect(JSON.stringify(await domain())).toContain('KVM_UNSUPPORTED');
    await expectPackets();
  });

  test('9: a purge of both', { timeout: 2 * patience }, async () => {
    await follow('9.');
  });
});

/** What a reader changes in the example: memory, and the NIC, which is a whole 82574 here and no virtual function. */
const adaptExample = [
  'sed -e \'s|<memory unit="GiB">4</memory>|<memory unit="GiB">1</memory>|\'',
  '-e \'s|<interface type="hostdev" managed="yes">|<hostdev mode="subsystem" type="pci" managed="yes">|\'',
  `-e 's|bus="0x81" slot="0x10" function="0x0"/>|bus="0x${dpdkNic.bus}" slot="0x${dpdkNic.slot.toString(16)}" function="0x${dpdkNic.function}"/>|'`,
  "-e '/<hostdev /,/<\\/interface>/s|</interface>|</hostdev>|'",
  '/usr/share/doc/vmcall-host/examples/domain.xml >domain.xml',
].join(' ');
