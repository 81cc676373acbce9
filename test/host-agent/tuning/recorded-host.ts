// SPDX-License-Identifier: Apache-2.0
import { appendFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { FileHost } from '../../../host-agent/host/host.js';
import type { Coalescing, HostCommands } from '../../../host-agent/host/host-commands.js';
import { parseScheduling, type Scheduling } from '../../../host-agent/host/scheduling.js';
import type { HostSystem } from '../../../host-agent/tuning/knob.js';
import { QemuProcesses } from '../../../host-agent/tuning/qemu-process.js';

/** A host's tree, compact: `{0-3}` in a path stands for each of 0, 1, 2 and 3. */
const recordedHostSchema = z.strictObject({
  about: z.string(),
  sources: z.array(z.string()).min(1),
  files: z.record(z.string(), z.string()),
  links: z.record(z.string(), z.string()).default({}),
  /** procfs folder (PID, or PID/task/TID): name, scheduling, CPUs. */
  threads: z.record(z.string(), z.tuple([z.string(), z.string(), z.string()])).default({}),
});
export type RecordedHost = z.infer<typeof recordedHostSchema>;

export function recordedHost(name: string): RecordedHost {
  return recordedHostSchema.parse(
    JSON.parse(readFileSync(join(import.meta.dirname, 'hosts', `${name}.json`), 'utf8')),
  );
}

/** What of a recorded host is otherwise; null: not there. */
export interface Change {
  files?: Record<string, string | null>;
  links?: Record<string, string | null>;
  threads?: Record<string, readonly [name: string, scheduling: string, cpus: string] | null>;
}

/** A recorded host with that change; `{0-3}` of its paths is taken apart first, so that one of them can be changed. */
export function changed(name: string, change: Change): RecordedHost {
  const host = recordedHost(name);
  const apart = Object.entries(host.files).flatMap(([path, text]) => expand(path).map((one) => [one, text]));
  const merged = <T>(before: Record<string, T>, now: Record<string, T | null> = {}) =>
    Object.fromEntries(Object.entries({ ...before, ...now }).filter(([, value]) => value !== null)) as Record<
      string,
      T
    >;
  return {
    ...host,
    files: merged(Object.fromEntries(apart), change.files),
    links: merged(host.links, change.links),
    threads: merged(host.threads, change.threads as RecordedHost['threads']),
  };
}

function expand(path: string): string[] {
  const range = /\{(\d+)-(\d+)\}/.exec(path);
  if (!range) return [path];
  const first = Number(range[1]);
  const count = Number(range[2]) - first + 1;
  return Array.from({ length: count }, (_, at) => path.replace(range[0], String(first + at))).flatMap(expand);
}

const policyNumbers: Record<string, number> = { other: 0, fifo: 1, rr: 2, batch: 3, idle: 5, deadline: 6 };

function stat(id: string, name: string, { policy, priority }: Scheduling): string {
  const fields = Array.from({ length: 52 }, () => '0');
  fields.splice(0, 4, id, `(${name})`, 'S', '1');
  fields[39] = String(priority);
  fields[40] = String(policyNumbers[policy]);
  return fields.join(' ');
}

/** Procfs' files of a thread; a process is its own first thread too. */
export function threadFiles(
  path: string,
  [name, scheduling, cpus]: RecordedHost['threads'][string],
  withTask = !path.includes('/'),
): [path: string, text: string][] {
  const id = path.split('/').at(-1) ?? '';
  const folders = withTask ? [path, `${path}/task/${id}`] : [path];
  return folders.flatMap((folder) => [
    [`/proc/${folder}/comm`, name],
    [`/proc/${folder}/stat`, stat(id, name, parseScheduling(scheduling))],
    [`/proc/${folder}/status`, `Name:\t${name}\nCpus_allowed_list:\t${cpus}`],
  ]);
}

/** Makes the tree real under `root`. */
export function unpack(host: RecordedHost, root: string): void {
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text === '' ? '' : `${text}\n`);
  };
  for (const [path, thread] of Object.entries(host.threads))
    for (const [file, text] of threadFiles(path, thread)) put(file, text);
  for (const [path, text] of Object.entries(host.files)) for (const one of expand(path)) put(one, text);
  for (const [path, to] of Object.entries(host.links)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    symlinkSync(to, join(root, path));
  }
}

/** What system calls and ioctls do on a host, done to the tree's files. */
class RecordedCommands implements HostCommands {
  constructor(private readonly root: string) {}

  #threads(thread: number): string[] {
    const found: string[] = [];
    for (const pid of new FileHost(this.root, this).names('/proc'))
      for (const folder of [`/proc/${pid}`, `/proc/${pid}/task/${thread}`])
        if (folder.endsWith(`/${thread}`) && existsSync(join(this.root, folder, 'stat')))
          found.push(join(this.root, folder));
    if (found.length === 0) throw new Error(`the recorded host has no thread ${thread}`);
    return found;
  }

  setAffinity(thread: number, cpus: string): void {
    for (const folder of this.#threads(thread)) {
      const status = readFileSync(join(folder, 'status'), 'utf8');
      writeFileSync(join(folder, 'status'), status.replace(/(?<=Cpus_allowed_list:\t).*/, cpus));
    }
  }

  setScheduling(thread: number, scheduling: Scheduling): void {
    for (const folder of this.#threads(thread)) {
      const name = readFileSync(join(folder, 'comm'), 'utf8').trim();
      writeFileSync(join(folder, 'stat'), `${stat(String(thread), name, scheduling)}\n`);
    }
  }

  /** As done on that CPU: which it was stands in a file beside the tree's. */
  writeOn(cpu: number, path: string, value: string): void {
    writeFileSync(path, `${value}\n`);
    appendFileSync(`${this.root}.written-on`, `${cpu} ${path.slice(this.root.length)} ${value}\n`);
  }

  coalescing(networkInterface: string): Coalescing | null {
    const file = join(this.root, 'ethtool', networkInterface);
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
  }

  setCoalescing(networkInterface: string, wanted: Coalescing): void {
    writeFileSync(join(this.root, 'ethtool', networkInterface), `${JSON.stringify(wanted)}\n`);
  }

  kernelLog(): string | null {
    const file = join(this.root, 'dmesg');
    return existsSync(file) ? readFileSync(file, 'utf8') : null;
  }

  programVersion(program: string): string | null {
    const file = join(this.root, 'versions', program);
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
  }

  moduleBytes(path: string): Buffer | null {
    return existsSync(path) ? readFileSync(path) : null;
  }
}

/** A system on an unpacked tree. */
export function systemAt(root: string): HostSystem {
  const host = new FileHost(root, new RecordedCommands(root));
  return { host, domains: new QemuProcesses(host) };
}

/** As scripts that run a recorded host beside this repository know it. */
export const benchAt = systemAt;
