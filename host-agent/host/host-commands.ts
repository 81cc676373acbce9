// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { z } from 'zod';
import { VmcallError } from '../../src/support/errors.js';
import { formatScheduling, type Scheduling } from './scheduling.js';

/** Interrupt coalescing of a network interface (linux: Documentation/networking/ethtool-netlink.rst). */
export interface Coalescing {
  /** Time an RX interrupt may be delayed, us; some drivers take small numbers for modes of their own. */
  rxUsecs: number;
  /** Null where the driver has no such mode. */
  adaptiveRx: boolean | null;
  /** Packets after which it interrupts, whatever the time; null or left out where the driver has no such limit. */
  rxFrames?: number | null;
}

/** What has no file: system calls and ioctls that small standard tools make for us. */
export interface HostCommands {
  /** CPUs a thread may run on, as a list. */
  setAffinity(thread: number, cpus: string): void;
  setScheduling(thread: number, scheduling: Scheduling): void;
  /** One write of an attribute file by an ordinary task (SCHED_OTHER) that runs on `cpu` meanwhile. */
  writeOn(cpu: number, path: string, value: string): void;
  /** Null where ethtool or the driver knows none. */
  coalescing(networkInterface: string): Coalescing | null;
  setCoalescing(networkInterface: string, wanted: Coalescing): void;
  /** The kernel's log as far as it is kept; null where it may not be read. */
  kernelLog(): string | null;
  /** What a program says to --version, its first number with dots; null where there is no such program. */
  programVersion(program: string): string | null;
  /** A kernel module's file, decompressed where it is compressed; null where there is none, or no tool for it. */
  moduleBytes(path: string): Buffer | null;
}

const outputMax = 16 << 20;
const timeout = 10_000;
/** kvm.ko with its debugging sections is 20 MB. */
const moduleMax = 64 << 20;
/** By a module's last suffix (linux: CONFIG_MODULE_COMPRESS). */
const unpackers: Readonly<Record<string, string>> = { '.xz': 'xz', '.zst': 'zstd', '.gz': 'gzip' };

function run(command: string, ...words: string[]): string {
  try {
    return execFileSync(command, words, {
      encoding: 'utf8',
      maxBuffer: outputMax,
      timeout,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (cause) {
    const { code, stderr } = cause as { code?: unknown; stderr?: unknown };
    throw new VmcallError(
      'HOST_COMMAND',
      `${[command, ...words].join(' ')}: ${code === 'ENOENT' ? 'no such command' : String(stderr ?? code).trim()}`,
      `Run as root, with ${command === 'ethtool' ? 'ethtool' : 'util-linux'} installed.`,
      undefined,
      { cause },
    );
  }
}

const coalescingSchema = z
  .array(
    z.looseObject({
      'rx-usecs': z.int().min(0),
      'adaptive-rx': z.boolean().optional(),
      'rx-frames': z.int().min(0).optional(),
    }),
  )
  .min(1);

/** What `ethtool --json --show-coalesce` prints (ethtool 5.10 and newer); null where it is something else. */
export function parseCoalescing(text: string): Coalescing | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const first = coalescingSchema.safeParse(json).data?.[0];
  if (!first) return null;
  const rxFrames = first['rx-frames'];
  return {
    rxUsecs: first['rx-usecs'],
    adaptiveRx: first['adaptive-rx'] ?? null,
    ...(rxFrames !== undefined && { rxFrames }),
  };
}

/** util-linux and ethtool on this host. */
export class SystemCommands implements HostCommands {
  setAffinity(thread: number, cpus: string): void {
    run('taskset', '--pid', '--cpu-list', cpus, String(thread));
  }

  setScheduling(thread: number, scheduling: Scheduling): void {
    const { policy, priority } = scheduling;
    if (policy === 'deadline' || policy === 'iso')
      throw new VmcallError(
        'HOST_COMMAND',
        `scheduling ${formatScheduling(scheduling)} cannot be set`,
        'Set it with chrt by hand.',
      );
    run('chrt', `--${policy}`, '--pid', String(priority), String(thread));
  }

  writeOn(cpu: number, path: string, value: string): void {
    const write = ['sh', '-c', 'printf "%s\\n" "$1" > "$2"', 'sh', value, path];
    run('taskset', '--cpu-list', String(cpu), 'chrt', '--other', '0', ...write);
  }

  coalescing(networkInterface: string): Coalescing | null {
    try {
      return parseCoalescing(run('ethtool', '--json', '--show-coalesce', networkInterface));
    } catch {
      // No ethtool, or a driver without coalescing: there is no such knob here.
      return null;
    }
  }

  setCoalescing(networkInterface: string, { rxUsecs, adaptiveRx, rxFrames }: Coalescing): void {
    const adaptive = adaptiveRx === null ? [] : ['adaptive-rx', adaptiveRx ? 'on' : 'off'];
    const frames = rxFrames == null ? [] : ['rx-frames', String(rxFrames)];
    run('ethtool', '--coalesce', networkInterface, ...adaptive, 'rx-usecs', String(rxUsecs), ...frames);
  }

  kernelLog(): string | null {
    try {
      return run('dmesg');
    } catch {
      return null;
    }
  }

  programVersion(program: string): string | null {
    try {
      return /\d+(?:\.\d+)+/.exec(run(program, '--version'))?.[0] ?? null;
    } catch {
      return null;
    }
  }

  moduleBytes(path: string): Buffer | null {
    const tool = unpackers[extname(path)];
    try {
      return tool === undefined
        ? readFileSync(path)
        : execFileSync(tool, ['-dc', path], {
            maxBuffer: moduleMax,
            timeout,
            stdio: ['ignore', 'pipe', 'ignore'],
          });
    } catch {
      return null;
    }
  }
}
