// SPDX-License-Identifier: Apache-2.0
import { chown, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** A libvirtd of one's own, of an unprivileged user: it shares nothing with one the machine may run. */
export interface Libvirtd {
  pid: number;
  folder: string;
  /** The URI of one of its drivers, e.g. `test:///default` or `qemu:///session`. */
  uri(driver: string): string;
  /** Ends it, whatever state it is in. */
  stop(): Promise<void>;
}

/** @param at where it lives; the folder of one that was stopped, to have its URIs again */
export async function startLibvirtd(at?: string): Promise<Libvirtd> {
  const folder = at ?? (await mkdtemp(join(tmpdir(), 'vmcall-libvirtd-')));
  await mkdir(folder, { recursive: true });
  const log = join(folder, 'log');
  const [command, ...words] = process.getuid?.() === 0 ? await asNobody(folder) : ['libvirtd'];
  const env = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: folder,
    XDG_RUNTIME_DIR: folder,
    XDG_CONFIG_HOME: folder,
    XDG_CACHE_HOME: folder,
  };
  const daemon = execa(command ?? 'libvirtd', words, {
    env,
    extendEnv: false,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: { file: log },
    reject: false,
  });
  const socket = join(folder, 'libvirt', 'libvirt-sock');
  const stop = async () => {
    daemon.kill('SIGKILL');
    await daemon;
    await rm(folder, { recursive: true, force: true });
  };
  const uri = (driver: string) => `${driver.replace(':', '+unix:')}?socket=${socket}`;
  for (let attempt = 0; attempt < 200 && daemon.exitCode === null; attempt++) {
    const { failed } = await execa('test', ['-S', socket], { reject: false });
    if (!failed && daemon.pid) return { pid: daemon.pid, folder, uri, stop };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const said = await readFile(log, 'utf8');
  await stop();
  throw new Error(`libvirtd did not come up: ${said}`);
}

/** Run by root, libvirtd would be the machine's own; a folder of nobody's makes it a session daemon. */
async function asNobody(folder: string): Promise<string[]> {
  const id = async (option: string) => Number((await execa('id', [option, 'nobody'])).stdout);
  const [user, group] = [await id('-u'), await id('-g')];
  await chown(folder, user, group);
  return ['setpriv', `--reuid=${user}`, `--regid=${group}`, '--clear-groups', 'libvirtd'];
}
