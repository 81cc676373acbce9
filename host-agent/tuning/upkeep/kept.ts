// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { describeError, VmcallError } from '../../../src/support/errors.js';
import { pciAddressSchema } from '../../host/pci-address.js';
import { formatCpus } from '../cpu-set.js';

const cpu = z.int().min(0).max(8191);

/** What `tune apply` was asked for, so that it can be reapplied once guest, DPDK or host have restarted. */
export const keptSchema = z.strictObject({
  format: z.literal('vmcall-tuning-kept'),
  version: z.literal(1),
  made: z.iso.datetime(),
  /** Null for a DPDK program on the host itself. */
  domain: z.strictObject({ name: z.string().min(1).max(256), uuid: z.guid().nullable() }).nullable(),
  /** The libvirt through which threads are pinned; null: themselves. */
  connect: z.string().max(1000).nullable(),
  pins: z.array(z.tuple([z.int().min(0).max(4095), cpu])).max(4096),
  nics: z.array(z.tuple([pciAddressSchema, z.array(cpu).max(4096).nullable()])).max(256),
  cpus: z.array(cpu).max(8192),
  max_exit_latency_us: z.int().min(0).nullable(),
  /** The non-threaded VFIO handler is among it. */
  hardirq: z.boolean(),
});
export type Kept = z.infer<typeof keptSchema>;

/** A host has no more VMs that are tuned. */
const most = 1024;
const largest = 1 << 20;

const folderIn = (state: string) => join(state, 'kept');

function fileOf({ domain, cpus }: Pick<Kept, 'domain' | 'cpus'>): string {
  if (domain === null) return `host-${formatCpus(cpus)}.json`;
  return `${domain.uuid ?? createHash('sha256').update(domain.name).digest('hex')}.json`;
}

/** Saves a request, replacing the one for the same domain. Throws `TUNING_STATE`. */
export function keep(state: string, kept: Kept): void {
  const path = join(folderIn(state), fileOf(kept));
  try {
    mkdirSync(folderIn(state), { recursive: true, mode: 0o700 });
    const aside = `${path}.new`;
    writeFileSync(aside, `${JSON.stringify(keptSchema.parse(kept), null, 2)}\n`, {
      mode: 0o600,
      flush: true,
    });
    renameSync(aside, path);
  } catch (cause) {
    throw refused('write', path, cause);
  }
}

/** Removes all saved requests. Throws `TUNING_STATE`. */
export function forget(state: string): void {
  try {
    rmSync(folderIn(state), { recursive: true, force: true });
  } catch (cause) {
    throw refused('remove', folderIn(state), cause);
  }
}

const refused = (verb: string, path: string, cause: unknown) =>
  new VmcallError(
    'TUNING_STATE',
    `cannot ${verb} ${path}: ${(cause as NodeJS.ErrnoException).code ?? describeError(cause)}`,
    'Run as root, or give another folder with --state.',
    undefined,
    { cause },
  );

/** Saved requests of a folder, read again only when one of them was written. */
export class KeptRequests {
  #seen: { mtimeMs: number; requests: readonly Kept[] } = { mtimeMs: Number.NaN, requests: [] };

  /** @param onBad called for a file that holds no saved request, once for each time it is read */
  constructor(
    private readonly state: string,
    private readonly onBad: (file: string, why: string) => void,
  ) {}

  list(): readonly Kept[] {
    const folder = folderIn(this.state);
    const mtimeMs = statSync(folder, { throwIfNoEntry: false })?.mtimeMs;
    if (mtimeMs === undefined) this.#seen = { mtimeMs: Number.NaN, requests: [] };
    else if (mtimeMs !== this.#seen.mtimeMs) this.#seen = { mtimeMs, requests: this.#read(folder) };
    return this.#seen.requests;
  }

  #read(folder: string): Kept[] {
    const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
    return names.slice(0, most).flatMap((name) => {
      const path = join(folder, name);
      try {
        if (statSync(path).size > largest) throw new Error('it is too large');
        return [keptSchema.parse(JSON.parse(readFileSync(path, 'utf8')))];
      } catch (error) {
        this.onBad(path, error instanceof Error ? error.message : String(error));
        return [];
      }
    });
  }
}
