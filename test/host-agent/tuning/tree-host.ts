// SPDX-License-Identifier: Apache-2.0
import type { Held, Host } from '../../../host-agent/host/host.js';
import type { Coalescing } from '../../../host-agent/host/host-commands.js';
import { formatScheduling, parseScheduling, type Scheduling } from '../../../host-agent/host/scheduling.js';
import { QemuProcesses } from '../../../host-agent/tuning/qemu-process.js';
import { type RecordedHost, threadFiles } from './recorded-host.js';

const byNumber = new Intl.Collator('en', { numeric: true });

/** What was done to a host, in order. */
export type Deed =
  | { what: 'write'; path: string; value: string }
  | { what: 'affinity'; thread: number; cpus: string }
  | { what: 'scheduling'; thread: number; scheduling: string };

/** A recorded host in memory: many of them in a second, and each deed noted. */
export class TreeHost implements Host {
  readonly #files = new Map<string, string>();
  readonly #links: Map<string, string>;
  readonly #folders = new Map<string, Set<string>>();
  readonly deeds: Deed[] = [];

  constructor(
    { files, links, threads }: Pick<RecordedHost, 'files' | 'links' | 'threads'>,
    private readonly log = '',
  ) {
    for (const [path, thread] of Object.entries(threads))
      for (const [file, text] of threadFiles(path, thread)) this.#files.set(file, text);
    for (const [path, text] of Object.entries(files)) this.#files.set(path, text);
    this.#links = new Map(Object.entries(links));
    for (const path of [...this.#files.keys(), ...this.#links.keys()]) this.#enter(path);
  }

  readonly domains = new QemuProcesses(this);

  #enter(path: string): void {
    const parts = path.split('/');
    for (let at = parts.length - 1; at > 0; at--) {
      const folder = parts.slice(0, at).join('/');
      const names = this.#folders.get(folder);
      if (names?.has(parts[at] ?? '')) return;
      this.#folders.set(folder, (names ?? new Set()).add(parts[at] ?? ''));
    }
  }

  /** A file that comes, changes, or goes (null), as if nobody of ours had done it. */
  put(path: string, text: string | null): void {
    const at = path.lastIndexOf('/');
    if (text === null) {
      this.#files.delete(path);
      this.#folders.get(path.slice(0, at))?.delete(path.slice(at + 1));
      return;
    }
    this.#files.set(path, text);
    this.#enter(path);
  }

  /** Every file with its text. */
  snapshot(): Record<string, string> {
    return Object.fromEntries(this.#files);
  }

  read(path: string): string | null {
    return this.#files.get(path)?.trimEnd() ?? null;
  }
  readBytes(path: string, length: number): Buffer | null {
    const text = this.#files.get(path);
    return text === undefined ? null : Buffer.from(text, 'latin1').subarray(0, length);
  }
  exists(path: string): boolean {
    return this.#files.has(path) || this.#links.has(path) || this.#folders.has(path);
  }
  names(path: string): string[] {
    return [...(this.#folders.get(path) ?? [])].sort(byNumber.compare);
  }
  link(path: string): string | null {
    return this.#links.get(path) ?? null;
  }
  write(path: string, value: string): void {
    if (!this.#files.has(path)) throw new Error(`the host has no ${path}`);
    this.deeds.push({ what: 'write', path, value });
    this.#files.set(path, value);
  }
  writeOn(_cpu: number, path: string, value: string): void {
    this.write(path, value);
  }
  hold(): Held {
    return { release: () => {} };
  }
  setAffinity(thread: number, cpus: string): void {
    this.deeds.push({ what: 'affinity', thread, cpus });
    this.#thread(thread, (name, scheduling) => [name, scheduling, cpus]);
  }
  setScheduling(thread: number, scheduling: Scheduling): void {
    const text = formatScheduling(parseScheduling(formatScheduling(scheduling)));
    this.deeds.push({ what: 'scheduling', thread, scheduling: text });
    this.#thread(thread, (name, _before, cpus) => [name, text, cpus]);
  }
  coalescing(): Coalescing | null {
    return null;
  }
  setCoalescing(): void {}
  programVersion(): string | null {
    return null;
  }
  moduleBytes(): Buffer | null {
    return null;
  }
  kernelLog(): string {
    return this.log;
  }

  #thread(
    id: number,
    change: (name: string, scheduling: string, cpus: string) => [string, string, string],
  ): void {
    const folders = [...this.#files.keys()].filter(
      (path) => path.endsWith(`/${id}/stat`) && path.startsWith('/proc/'),
    );
    if (folders.length === 0) throw new Error(`the host has no thread ${id}`);
    for (const file of folders) {
      const folder = file.slice(0, -'/stat'.length);
      const stat = this.read(file) ?? '';
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const policy = { '1': 'fifo', '2': 'rr', '6': 'deadline' }[fields[38] ?? ''] ?? 'other';
      const before = policy === 'fifo' || policy === 'rr' ? `${policy}:${fields[37]}` : policy;
      const cpus = /Cpus_allowed_list:\t(.*)/.exec(this.read(`${folder}/status`) ?? '')?.[1] ?? '';
      const now = change(this.read(`${folder}/comm`) ?? '', before, cpus);
      const status = this.read(`${folder}/status`) ?? '';
      for (const [path, text] of threadFiles(folder.slice('/proc/'.length), now, false))
        this.#files.set(path, text);
      // What else stood in it, such as its huge pages.
      this.#files.set(`${folder}/status`, status.replace(/(?<=Cpus_allowed_list:\t).*/, now[2]));
    }
  }
}
