// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';

export type Side = 'host' | 'guest';

/** What a command in a container ended with. */
export interface Ended {
  exitCode: number | undefined;
  /** Both streams, as they came. */
  all: string;
  stdout: string;
}

/** Two containers that have booted systemd, host and guest; see containers.sh. */
export class Containers {
  readonly #leaders = new Map<Side, number>();

  private constructor(private readonly keeper: ChildProcess) {}

  /** @param root a root folder with systemd in it @param packages a folder that is at /srv/vmcall-packages there */
  static async boot(root: string, packages: string): Promise<Containers> {
    const script = join(import.meta.dirname, 'containers.sh');
    const words = ['--mount', '--net', '--fork', '--kill-child', script, root, packages];
    const keeper = spawn('unshare', words, { stdio: ['pipe', 'pipe', 'inherit'] });
    const containers = new Containers(keeper);
    const spawned: [Side, number][] = [];
    for await (const line of createInterface({ input: keeper.stdout })) {
      const [side, pid] = line.split(' ');
      spawned.push([side as Side, Number(pid)]);
      if (spawned.length === 2) break;
    }
    for (const [side, nspawn] of spawned) containers.#leaders.set(side, await leaderOf(nspawn));
    for (const [side] of spawned) await containers.#booted(side);
    return containers;
  }

  /** The first process there, as this machine numbers it. */
  leader(side: Side): number {
    const leader = this.#leaders.get(side);
    if (leader === undefined) throw new Error(`the container ${side} has not started`);
    return leader;
  }

  /** A command line of a root shell there. */
  async run(side: Side, command: string): Promise<Ended> {
    const namespaces = ['--target', String(this.leader(side)), '--mount', '--uts', '--ipc', '--net', '--pid'];
    const environment = [
      'HOME=/root',
      'LANG=C.UTF-8',
      'TERM=dumb',
      'DEBIAN_FRONTEND=noninteractive',
      `PATH=${path}`,
    ];
    const shell = ['/usr/bin/env', '-i', ...environment, '/bin/sh', '-c', `cd /root && ${command}`];
    const { exitCode, all, stdout } = await execa('nsenter', [...namespaces, '--root', '--wd', ...shell], {
      stdin: 'ignore',
      all: true,
      reject: false,
    });
    return { exitCode, all, stdout };
  }

  async stop(): Promise<void> {
    const ended = once(this.keeper, 'exit');
    this.keeper.stdin?.end();
    await Promise.race([ended, delay(30_000)]);
    this.keeper.kill('SIGKILL');
    for (const leader of this.#leaders.values())
      if (existsSync(`/proc/${leader}`)) process.kill(leader, 'SIGKILL');
  }

  async #booted(side: Side): Promise<void> {
    for (;;) {
      const { stdout } = await this.run(side, 'systemctl is-system-running');
      if (stdout === 'running' || stdout === 'degraded') return;
      await delay(200);
    }
  }
}

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The first process in the container of this nspawn: its systemd. */
async function leaderOf(nspawn: number): Promise<number> {
  while (existsSync(`/proc/${nspawn}`)) {
    const { stdout } = await execa('pgrep', ['--parent', String(nspawn), '--exact', 'systemd'], {
      reject: false,
    });
    if (stdout) return Number(stdout.split('\n')[0]);
    await delay(100);
  }
  throw new Error(
    'systemd-nspawn ended before its container had booted; where many run: sysctl fs.inotify.max_user_instances=1024',
  );
}
