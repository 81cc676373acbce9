// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ensureDebianPackages } from '../../../../src/setup/debian-packages.js';
import { projectRoot } from '../../../../src/support/paths.js';
import { stderrProgress } from '../../../../src/support/progress.js';

const folder = join(import.meta.dirname, 'systemd');
const minutes = 60_000;

/** A machine with systemd, as it is between two of its boots. */
class Machine {
  readonly #boots: AsyncIterator<string>;
  readonly #keeper: ChildProcess;
  #leader = 0;

  constructor() {
    const words = ['--mount', '--net', '--fork', '--kill-child', join(folder, 'boot.sh'), projectRoot];
    this.#keeper = spawn('unshare', words, { stdio: ['ignore', 'pipe', 'inherit'] });
    if (!this.#keeper.stdout) throw new Error('boot.sh has no output');
    this.#boots = createInterface({ input: this.#keeper.stdout })[Symbol.asyncIterator]();
  }

  /** Until systemd says that it is up, with what the host agent looks at in its place. */
  async booted(): Promise<void> {
    const { value: nspawn } = await this.#boots.next();
    for (let pid = ''; pid === ''; ) {
      const { stdout } = await execa('pgrep', ['--parent', nspawn, '--exact', 'systemd'], { reject: false });
      pid = stdout.split('\n')[0] ?? '';
      this.#leader = Number(pid);
      await delay(100);
    }
    for (let state = ''; !/^(running|degraded)$/.test(state); await delay(200))
      state = await this.run('systemctl is-system-running || :');
    await this.run('cat >/run/fake-host.sh && sh /run/fake-host.sh', join(folder, 'fake-host.sh'));
  }

  /** A command line of a root shell there. Throws what it printed where it fails. */
  async run(command: string, inputFile = '/dev/null'): Promise<string> {
    const into = [
      '--target',
      String(this.#leader),
      '--mount',
      '--uts',
      '--ipc',
      '--net',
      '--pid',
      '--root',
      '--wd',
    ];
    const environment = ['HOME=/root', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];
    const words = [...into, '/usr/bin/env', '-i', ...environment, '/bin/sh', '-c', command];
    return (await execa('nsenter', words, { inputFile })).stdout;
  }

  async startVm(): Promise<void> {
    const words = '-name guest=dpdk0,debug-threads=on -uuid b2a0f9f6-54a1-4c9d-8a55-0f6c2f1d7e10 -accel kvm';
    await this.run(
      `setsid -f bash -c 'exec -a qemu-system-x86_64 node ${folder}/fake-vm.mjs ${words}' </dev/null >/dev/null 2>&1`,
    );
  }

  /** It ends, and with it its NIC's interrupts, which come back as the kernel likes. */
  async stopVm(): Promise<void> {
    await this.run('pkill -f "^qemu-system-x86_64 " && sleep 1');
    await this.run('for n in 45 46; do echo 0-1 >/proc/irq/$n/smp_affinity_list; done');
  }

  /** The CPUs and scheduling of vCPU 1, and the CPUs of both interrupts. */
  readonly tuning = () =>
    this.run(`cat /proc/irq/45/smp_affinity_list /proc/irq/46/smp_affinity_list
for comm in /proc/[0-9]*/task/*/comm; do
	[ "$(cat $comm 2>/dev/null)" = 'CPU 1/KVM' ] || continue
	task=\${comm%/comm}
	sed -n 's/^Cpus_allowed_list:\\t//p' $task/status
	chrt --pid \${task##*/} | sed -n 's/.*policy: //p'
done`);

  reboot(): Promise<string> {
    return this.run('systemctl reboot || :');
  }

  stop(): void {
    this.#keeper.kill('SIGKILL');
  }
}

const tuned = ['1', '1', '1', 'SCHED_FIFO'].join('\n');
const asBegun = ['0-1', '0-1', '0-1', 'SCHED_OTHER'].join('\n');

describe('the host agent, confined by its unit', () => {
  let machine: Machine;
  const becomes = (wanted: string) =>
    vi.waitFor(async () => expect(await machine.tuning()).toBe(wanted), { timeout: minutes, interval: 500 });

  beforeAll(async () => {
    await ensureDebianPackages(stderrProgress(), true, 'containers');
    machine = new Machine();
    await machine.booted();
    await machine.run('systemctl enable --now vmcall-host-agent');
    await machine.startVm();
    await becomes(asBegun);
    await machine.run('vmcall tune apply dpdk0 --pin 1=1 --nic 0000:81:00.0=1');
  }, 5 * minutes);
  afterAll(() => machine?.stop());

  test('reapplies what tune apply set when the guest has restarted', { timeout: 2 * minutes }, async () => {
    expect(await machine.tuning()).toBe(tuned);
    await machine.stopVm();
    await machine.startVm();
    await becomes(tuned);
  });

  test('puts an interrupt back that somebody moved', { timeout: 2 * minutes }, async () => {
    await machine.run('echo 0 >/proc/irq/46/smp_affinity_list');
    await becomes(tuned);
  });

  test('reapplies it after its own restart', { timeout: 2 * minutes }, async () => {
    await machine.run('systemctl stop vmcall-host-agent');
    await machine.stopVm();
    await machine.startVm();
    await becomes(asBegun);
    await machine.run('systemctl start vmcall-host-agent');
    await becomes(tuned);
  });

  test('reapplies it after a boot of the host, and lets it be restored', {
    timeout: 5 * minutes,
  }, async () => {
    await machine.reboot();
    await machine.booted();
    await machine.run('systemctl restart vmcall-host-agent');
    await machine.startVm();
    await becomes(tuned);
    expect(await machine.run('cat /proc/sys/kernel/sched_rt_runtime_us')).toBe('-1');
    await machine.run('vmcall tune restore');
    expect(await machine.tuning()).toBe(asBegun);
    expect(await machine.run('cat /proc/sys/kernel/sched_rt_runtime_us')).toBe('950000');
    // Nobody sets it again.
    await delay(3_000);
    expect(await machine.tuning()).toBe(asBegun);
  });
});
