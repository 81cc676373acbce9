// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Connection, openConnection } from '../../../host-agent/native/connection.js';
import { run } from './commands.js';

export const libvirtUri = 'qemu:///system';

/** What libvirtd writes to, and this machine's root does not let it. */
const writable = ['/etc/libvirt', '/var/lib/libvirt', '/var/cache/libvirt'];

/**
 * No systemd, no security driver, no other users: L1 has root alone. Of the cgroup controllers those that pin and
 * weigh; QEMU in the host's own mount namespace, where the hugepages and the second serial port are.
 */
const qemuConfiguration = `user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
stdio_handler = "file"
cgroup_controllers = ["cpu", "cpuset"]
`;

/** A Unix socket for root, and nobody to ask for leave. */
const daemonConfiguration = `auth_unix_rw = "none"
auth_unix_ro = "none"
`;

const socket = '/run/libvirt/libvirt-sock';
/** Looks for the socket, 100 ms of the lab's clock apart. */
const tries = 600;

/** libvirtd as on any host, without systemd. */
export class Libvirtd {
  private constructor(
    private open: Connection,
    private process: number,
  ) {}

  get connection(): Connection {
    return this.open;
  }

  get pid(): number {
    return this.process;
  }

  /** Mounts what it needs, starts it, and connects. */
  static async start(): Promise<Libvirtd> {
    await run('mount', '-t', 'cgroup2', 'none', '/sys/fs/cgroup');
    for (const folder of writable) await run('mount', '-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', folder);
    mkdirSync('/etc/libvirt/qemu', { recursive: true });
    writeFileSync('/etc/libvirt/qemu.conf', qemuConfiguration);
    writeFileSync('/etc/libvirt/libvirtd.conf', daemonConfiguration);
    const pid = await launch();
    return new Libvirtd(await openConnection(libvirtUri), pid);
  }

  /** After it was killed: starts it again, over what it left, and connects again. */
  async startAgain(): Promise<void> {
    await this.open.close();
    rmSync(socket);
    this.process = await launch();
    this.open = await openConnection(libvirtUri);
  }
}

/** @returns its process */
async function launch(): Promise<number> {
  const log = openSync('/run/lab/libvirtd.log', 'a');
  const daemon = spawn('libvirtd', [], { stdio: ['ignore', log, log], detached: true });
  let ended: string | undefined;
  daemon.once('error', (error) => {
    ended = error.message;
  });
  daemon.once('exit', (code, signal) => {
    ended = `${signal ?? `exit code ${code}`}`;
  });
  daemon.unref();
  for (let attempt = 1; !existsSync(socket); attempt++) {
    if (ended !== undefined) throw new Error(`libvirtd ended: ${ended}; its log is on the host's console`);
    if (attempt === tries) throw new Error(`libvirtd does not listen on ${socket}`);
    await delay(100);
  }
  if (daemon.pid === undefined) throw new Error('libvirtd never started');
  return daemon.pid;
}
