// SPDX-License-Identifier: Apache-2.0
import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { VmcallError } from '../../src/support/errors.js';
import type { HostCommands } from './host-commands.js';

/** A file that stays open, and with it what was written to it. */
export interface Held {
  release(): void;
}

/** The one way through which tuning sees and changes the host. Paths are absolute, as on the host. */
export interface Host extends HostCommands {
  /** The file's text without white space at its end; null where there is no such file. */
  read(path: string): string | null;
  /** The file's first bytes, at most `length`; null where there is no such file. */
  readBytes(path: string, length: number): Buffer | null;
  exists(path: string): boolean;
  /** Names in a folder, sorted as numbers where they are such; none where there is no such folder. */
  names(path: string): string[];
  /** What a symbolic link says; null where there is none. */
  link(path: string): string | null;
  /** One write of an existing attribute file. Throws `HOST_WRITE` naming file and value. */
  write(path: string, value: string): void;
  /** Writes and keeps the file open. Throws `HOST_WRITE`. */
  hold(path: string, bytes: Uint8Array): Held;
}

/** /proc/interrupts of 256 CPUs and 2,000 interrupts is 6 MB; nothing read here is larger. */
const readMax = 16 << 20;

/** Of every read, for most files hold a number. */
const scratch = Buffer.allocUnsafeSlow(65_536);

/** Made once: a collator costs more than the order of a folder's names. */
const byNumber = new Intl.Collator('en', { numeric: true });

/** Errors that say "there is none": of processes and devices that end while they are looked at, too. */
const absent = new Set(['ENOENT', 'ENOTDIR', 'ENXIO', 'ENODEV', 'ESRCH', 'EINVAL']);

/**
 * Whether an error says "there is none". A locked-down kernel opens no file of debugfs that could be written, to nobody
 * (EPERM; linux: fs/debugfs/file.c, debugfs_locked_down): what cannot be read there is not there for us.
 */
export const saysAbsent = (path: string, reason: string) =>
  absent.has(reason) || (reason === 'EPERM' && path.startsWith('/sys/kernel/debug/'));

const reasonOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? String(error);

function orNull<T>(path: string, read: () => T): T | null {
  try {
    return read();
  } catch (cause) {
    if (saysAbsent(path, reasonOf(cause))) return null;
    throw new VmcallError(
      'HOST_READ',
      `cannot read ${path}: ${reasonOf(cause)}`,
      'Run as root on the host itself, with debugfs mounted on /sys/kernel/debug.',
      undefined,
      { cause },
    );
  }
}

function writeFailure(path: string, value: string, cause: unknown): VmcallError {
  return new VmcallError(
    'HOST_WRITE',
    `cannot write "${value}" to ${path}: ${reasonOf(cause)}`,
    'EACCES and EPERM: run as root, outside any container. EINVAL and EBUSY: this kernel refuses the value.',
    undefined,
    { cause },
  );
}

/** 0 at the end, and where there is nothing more as yet (ftrace's trace_pipe). */
function readNow(file: number, length: number): number {
  try {
    return readSync(file, scratch, 0, length, null);
  } catch (error) {
    if (reasonOf(error) === 'EAGAIN') return 0;
    throw error;
  }
}

/** A host's files under a root folder: `/` for this host, or a recorded tree. */
export class FileHost implements Host {
  readonly #root: string;
  readonly #commands: HostCommands;
  readonly setAffinity: HostCommands['setAffinity'];
  readonly setScheduling: HostCommands['setScheduling'];
  readonly coalescing: HostCommands['coalescing'];
  readonly setCoalescing: HostCommands['setCoalescing'];
  readonly kernelLog: HostCommands['kernelLog'];
  readonly programVersion: HostCommands['programVersion'];

  constructor(root: string, commands: HostCommands) {
    this.#root = root;
    this.#commands = commands;
    this.setAffinity = commands.setAffinity.bind(commands);
    this.setScheduling = commands.setScheduling.bind(commands);
    this.coalescing = commands.coalescing.bind(commands);
    this.setCoalescing = commands.setCoalescing.bind(commands);
    this.kernelLog = commands.kernelLog.bind(commands);
    this.programVersion = commands.programVersion.bind(commands);
  }

  #at(path: string): string {
    return join(this.#root, path);
  }

  read(path: string): string | null {
    return this.readBytes(path, readMax)?.toString('utf8').trimEnd() ?? null;
  }

  readBytes(path: string, length: number): Buffer | null {
    return orNull(path, () => {
      const file = openSync(this.#at(path), constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const parts: Buffer[] = [];
        // Sizes of sysfs and procfs files say nothing: read until the end is reached.
        for (let left = length; left > 0; ) {
          const got = readNow(file, Math.min(left, scratch.length));
          if (got === 0) break;
          parts.push(Buffer.from(scratch.subarray(0, got)));
          left -= got;
        }
        return Buffer.concat(parts);
      } finally {
        closeSync(file);
      }
    });
  }

  exists(path: string): boolean {
    return orNull(path, () => statSync(this.#at(path))) !== null;
  }

  names(path: string): string[] {
    const names = orNull(path, () => readdirSync(this.#at(path))) ?? [];
    return names.sort(byNumber.compare);
  }

  link(path: string): string | null {
    return orNull(path, () => readlinkSync(this.#at(path)));
  }

  write(path: string, value: string): void {
    this.hold(path, Buffer.from(`${value}\n`)).release();
  }

  writeOn(cpu: number, path: string, value: string): void {
    this.#commands.writeOn(cpu, this.#at(path), value);
  }

  moduleBytes(path: string): Buffer | null {
    return this.#commands.moduleBytes(this.#at(path));
  }

  hold(path: string, bytes: Uint8Array): Held {
    let file: number | undefined;
    try {
      file = openSync(this.#at(path), constants.O_WRONLY | constants.O_TRUNC);
      writeSync(file, bytes);
    } catch (cause) {
      if (file !== undefined) closeSync(file);
      throw writeFailure(path, Buffer.from(bytes).toString('utf8').trimEnd(), cause);
    }
    const held = file;
    return { release: () => closeSync(held) };
  }
}
