// SPDX-License-Identifier: Apache-2.0
import { VmcallError } from '../../src/support/errors.js';
import type { Held, Host } from '../host/host.js';

const device = '/dev/cpu_dma_latency';

/** Nobody asks for a limit (linux: include/linux/pm_qos.h, PM_QOS_CPU_LATENCY_DEFAULT_VALUE). */
export const noLimit = 2_000_000_000;

/** The host-wide limit in force now, us; null where the kernel has no such device. */
export function cpuDmaLatency(host: Host): number | null {
  const bytes = host.readBytes(device, 4);
  return bytes?.length === 4 ? bytes.readInt32LE() : null;
}

/** Who holds it, as `tuned (process 703)`: each process that has the device open. */
export function latencyHolders(host: Host): string[] {
  return host.names('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    const holds = host.names(`/proc/${pid}/fd`).some((fd) => host.link(`/proc/${pid}/fd/${fd}`) === device);
    return holds ? [`${host.read(`/proc/${pid}/comm`) ?? 'unknown'} (process ${pid})`] : [];
  });
}

/**
 * A host-wide limit on the exit latency of idle states. The kernel keeps it as long as the file stays open
 * and drops it by itself when the process ends (linux: Documentation/power/pm_qos_interface.rst).
 */
export class CpuDmaLatency {
  #held: Held | undefined;
  #limit: number | undefined;

  constructor(private readonly host: Host) {}

  /** The limit held, us; undefined while none is. */
  get limit(): number | undefined {
    return this.#limit;
  }

  /** Holds `limit` us, 0 to 2,000,000,000, in place of what was held before. Throws `LATENCY_RANGE`, `HOST_WRITE`. */
  hold(limit: number): void {
    if (!Number.isInteger(limit) || limit < 0 || limit > noLimit)
      throw new VmcallError(
        'LATENCY_RANGE',
        `${limit} us is no latency limit`,
        `Give 0 to ${noLimit}, whole.`,
      );
    if (limit === this.#limit) return;
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(limit);
    // The new one first: at no moment is there no limit.
    const held = this.host.hold(device, bytes);
    this.#held?.release();
    this.#held = held;
    this.#limit = limit;
  }

  release(): void {
    this.#held?.release();
    this.#held = undefined;
    this.#limit = undefined;
  }
}
