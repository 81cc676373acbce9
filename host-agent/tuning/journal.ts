// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { VmcallError } from '../../src/support/errors.js';

const id = z.int().min(1);
const text = z.string().max(4096);

/** A change that is about to be made: on the disk before the host is touched. */
const changeSchema = z.strictObject({
  version: z.literal(1),
  type: z.literal('change'),
  id,
  at: z.iso.datetime(),
  /** /proc/sys/kernel/random/boot_id: what was set does not outlive the boot. */
  boot: text,
  knob: text,
  place: text,
  before: text,
  after: text,
  /** Whose the place was: see `Knob.owner`; left out where it is nobody's but the host's. */
  owner: text.optional(),
});
export type Change = z.infer<typeof changeSchema>;

const undoneSchema = z.strictObject({
  version: z.literal(1),
  type: z.literal('undone'),
  id,
  at: z.iso.datetime(),
});

const lineSchema = z.discriminatedUnion('type', [changeSchema, undoneSchema]);

/** Some 30,000 changes that nobody restored. */
const sizeMax = 8 << 20;

/** Where the record of this host's tuning is kept by default. */
export const defaultStateFolder = '/var/lib/vmcall';

/**
 * The record of what tuning changed: JSON lines, each written and synced before the change it records, so
 * that a crash at any point leaves enough to restore from. One process at a time has it open.
 */
export class Journal {
  readonly #file: number;
  readonly #pending: Map<number, Change>;
  #lastId: number;

  private constructor(
    private readonly path: string,
    private readonly lock: number,
    private readonly boot: string,
    lines: Lines,
  ) {
    this.#file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND, 0o600);
    // The end of a line cut off by a crash: its change was never made.
    ftruncateSync(this.#file, lines.length);
    syncFolder(path);
    this.#pending = lines.pending;
    this.#lastId = lines.lastId;
    this.damaged = lines.damaged;
  }

  /** Numbers of lines that could not be read; what they recorded cannot be restored. */
  readonly damaged: readonly number[];

  /** Opens the record in `folder`, creating both. Throws `TUNING_BUSY` while another process has it open. */
  static open(folder: string, boot: string, waitSeconds = 0): Journal {
    const lockFile = join(folder, 'tuning.lock');
    orRefused(`create ${folder}`, () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
    const file = orRefused(`open ${lockFile}`, () =>
      openSync(lockFile, constants.O_RDWR | constants.O_CREAT, 0o600),
    );
    const lock = takeLock(lockFile, file, waitSeconds);
    try {
      const path = join(folder, 'tuning.jsonl');
      return new Journal(path, lock, boot, compacted(path, readLines(path)));
    } catch (error) {
      closeSync(lock);
      throw error;
    }
  }

  /** What was changed and not undone, the latest first. */
  pending(): Change[] {
    return [...this.#pending.values()].reverse();
  }

  /** True where the change was made before this boot: the host has forgotten it. */
  isOfOtherBoot(change: Change): boolean {
    return change.boot !== this.boot;
  }

  /** Records a change that the caller then makes. Throws `TUNING_RECORD_FULL`. */
  record(change: Pick<Change, 'knob' | 'place' | 'before' | 'after' | 'owner'>): Change {
    if (statSync(this.path).size > sizeMax)
      throw new VmcallError(
        'TUNING_RECORD_FULL',
        `${this.path} is larger than ${sizeMax >> 20} MiB`,
        'Restore first: vmcall tune restore.',
      );
    const line: Change = {
      version: 1,
      type: 'change',
      id: ++this.#lastId,
      at: new Date().toISOString(),
      boot: this.boot,
      ...change,
    };
    this.#append(line);
    this.#pending.set(line.id, line);
    return line;
  }

  /** Records that a change is no more. */
  undone(change: Change): void {
    this.#append({ version: 1, type: 'undone', id: change.id, at: new Date().toISOString() });
    this.#pending.delete(change.id);
  }

  /** Closes it; with nothing left to undo the file goes, or is set aside where lines of it were damaged. */
  close(): void {
    closeSync(this.#file);
    if (this.#pending.size === 0) {
      if (this.damaged.length > 0) renameSync(this.path, `${this.path}.damaged`);
      else unlinkSync(this.path);
      syncFolder(this.path);
    }
    closeSync(this.lock);
  }

  #append(line: z.infer<typeof lineSchema>): void {
    writeSync(this.#file, `${JSON.stringify(lineSchema.parse(line))}\n`);
    fsyncSync(this.#file);
  }
}

interface Lines {
  pending: Map<number, Change>;
  lastId: number;
  damaged: number[];
  /** Bytes up to the end of the last whole line. */
  length: number;
}

/** Most of a long record is of interrupts that came and went, which need not be known any more. */
const compactAt = 1 << 20;

function compacted(path: string, lines: Lines): Lines {
  if (lines.length < compactAt || lines.damaged.length > 0) return lines;
  const text = [...lines.pending.values()].map((change) => `${JSON.stringify(change)}\n`).join('');
  const aside = `${path}.new`;
  writeFileSync(aside, text, { mode: 0o600, flush: true });
  renameSync(aside, path);
  return { ...lines, length: Buffer.byteLength(text) };
}

function readLines(path: string): Lines {
  const lines: Lines = { pending: new Map(), lastId: 0, damaged: [], length: 0 };
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return lines;
    throw error;
  }
  lines.length = bytes.lastIndexOf('\n') + 1;
  const whole = bytes.subarray(0, lines.length).toString('utf8').split('\n').slice(0, -1);
  for (const [index, written] of whole.entries()) {
    const line = parseLine(written);
    if (!line) {
      lines.damaged.push(index + 1);
      continue;
    }
    lines.lastId = Math.max(lines.lastId, line.id);
    if (line.type === 'change') lines.pending.set(line.id, line);
    else lines.pending.delete(line.id);
  }
  return lines;
}

function parseLine(written: string): z.infer<typeof lineSchema> | null {
  try {
    return lineSchema.parse(JSON.parse(written));
  } catch {
    return null;
  }
}

/**
 * flock(2) by util-linux on a descriptor that it shares with this process: the lock stays with this process
 * and is gone with it, however it ends.
 */
function takeLock(path: string, lock: number, waitSeconds: number): number {
  try {
    execFileSync('flock', ['--timeout', String(waitSeconds), '3'], {
      stdio: ['ignore', 'ignore', 'ignore', lock],
    });
    return lock;
  } catch (cause) {
    closeSync(lock);
    throw new VmcallError(
      'TUNING_BUSY',
      `another process tunes this host (${path} is locked)`,
      'Wait until it has ended.',
      undefined,
      { cause },
    );
  }
}

function orRefused<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw new VmcallError(
      'TUNING_STATE',
      `cannot ${what}`,
      'Run as root, or give another folder with --state.',
      undefined,
      { cause },
    );
  }
}

function syncFolder(path: string): void {
  const folder = openSync(join(path, '..'), constants.O_RDONLY);
  fsyncSync(folder);
  closeSync(folder);
}
