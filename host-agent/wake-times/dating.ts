// SPDX-License-Identifier: Apache-2.0
import { isDatedByHost, type Path } from '../../src/protocol/fields.js';
import { decodeWakes, histogramShape, noWakes } from '../../src/protocol/histogram.js';
import { limits } from '../../src/protocol/limits.js';
import type { Report, WakeTimes } from '../../src/protocol/messages.js';
import { readWakeTimes } from '../../src/protocol/wake-times.js';
import { describeError, VmcallError } from '../../src/support/errors.js';
import { encodeHistogram } from '../../src/support/hdr/histogram.js';
import type { DomainLog } from '../bounded-log.js';
import type { Host } from '../host/host.js';
import { hostdevs } from '../host/qemu-process.js';
import { readGuestTsc, toGuestTsc } from './guest-tsc.js';
import { InterruptTrace } from './interrupt-trace.js';
import { dateSleeps } from './match.js';
import { mayTrace } from './trace-budget.js';

/** Domains whose interrupts are traced at once: each trace has a buffer on each CPU. */
const tracedMost = 16;
/** Interrupts that no sleep was reported for yet. */
const waitingMost = 65_536;

/** What a histogram of ours reaches to. */
const longestNs = Number(histogramShape.highest);

let traced = 0;
/** Of all that were started: the next may begin before the last of its domain has ended. */
let started = 0;

/** Where the VM is: its process, and its folder in KVM's debugfs. */
export interface VmPlace {
  pid: number;
  folder: string;
}

/** ns, exact; as in a report. */
interface Total {
  count: number;
  min: number | null;
  max: number;
  sum: number;
}

/**
 * The wake latency of the injected path, which nothing in the guest can measure: the host's hard interrupt handler is dated
 * by a trace, on the guest's TSC, and each sleep that the guest reports ends so long after it. On while a measurement
 * asks for it, and traces only while the path in force is the injected one.
 */
export class WakeDating {
  #isOn = false;
  #trace: InterruptTrace | undefined;
  #changing: Promise<void> = Promise.resolve();
  #wantsTrace = false;
  #waiting: bigint[] = [];
  #total: Total = { count: 0, min: null, max: 0, sum: 0 };
  #undated = 0;
  #problem: { code: string; message: string } | undefined;

  /**
   * @param domain UUID
   * @param place of the running VM
   */
  constructor(
    private readonly domain: string,
    private readonly place: () => VmPlace,
    private readonly host: Host,
    private readonly log: DomainLog,
  ) {}

  /** A measurement begins. @param path in force, as far as is known */
  async begin(path: Path | null): Promise<void> {
    this.#isOn = true;
    this.#total = { count: 0, min: null, max: 0, sum: 0 };
    this.#undated = 0;
    this.#problem = undefined;
    this.#waiting = [];
    await this.#follow(isDatedByHost(path));
  }

  /** Why the wakes of this measurement are not timed; undefined while they are, or on a path where others time them. */
  get problem(): { code: string; message: string } | undefined {
    return this.#problem;
  }

  /** It is over. */
  async end(): Promise<void> {
    this.#isOn = false;
    await this.#follow(false);
  }

  /** A report as it came from the guest, with the latencies of the injected path added to its own. */
  date(report: Report): Report {
    if (!this.#isOn) return report;
    void this.#follow(isDatedByHost(report.path));
    const { wake_times: wakeTimes, ...rest } = report;
    const latencies = wakeTimes ? this.#latencies(wakeTimes) : [];
    if (!wakeTimes && this.#total.count === 0) return rest;
    try {
      const wakeLatency = this.#added(rest.wake_latency, latencies);
      return {
        ...rest,
        wake_latency: wakeLatency,
        counters: this.#counted(rest.counters, wakeTimes?.missed ?? 0),
      };
    } catch (error) {
      // A guest may send any text as its histogram; who adds reports up tells that one is none.
      this.#tell(error);
      return rest;
    }
  }

  #latencies({ tsc_khz: tscKhz, data }: WakeTimes): number[] {
    if (!this.#trace) return [];
    try {
      const tsc = readGuestTsc(this.host, this.place().folder);
      const came = this.#trace.take().map((stamp) => toGuestTsc(stamp, tsc));
      const { cycles, undated, rest } = dateSleeps(data.flatMap(readWakeTimes), [...this.#waiting, ...came]);
      this.#waiting = rest.slice(-waitingMost);
      const latencies = cycles
        .map((each) => Number((each * 1_000_000n) / BigInt(tscKhz)))
        .filter((ns) => ns <= longestNs);
      this.#undated += undated + cycles.length - latencies.length;
      return latencies;
    } catch (error) {
      this.#tell(error);
      return [];
    }
  }

  #added(
    { unit, delta, total }: Report['wake_latency'],
    latencies: readonly number[],
  ): Report['wake_latency'] {
    const sum = this.#total;
    const histogram = delta.count === 0 ? noWakes() : decodeWakes(delta.histogram);
    for (const ns of latencies) {
      histogram.recordValue(Math.max(1, ns));
      sum.count++;
      sum.sum += ns;
      sum.min = Math.min(sum.min ?? ns, ns);
      sum.max = Math.max(sum.max, ns);
    }
    if (!Number.isSafeInteger(total.sum + sum.sum))
      throw new Error('a sum of wake latencies is out of range');
    const mins = [sum.min, total.min].filter((min) => min !== null);
    return {
      unit,
      delta: { count: delta.count + latencies.length, histogram: encodeHistogram(histogram) },
      total: {
        count: total.count + sum.count,
        min: mins.length === 0 ? null : Math.min(...mins),
        max: Math.max(total.max, sum.max),
        sum: total.sum + sum.sum,
      },
    };
  }

  /** What was timed, and what was not, beside the guest's own counters. */
  #counted(counters: Report['counters'], missed: number): Report['counters'] {
    const ours = { wakes_dated: this.#total.count, wakes_undated: this.#undated, wakes_untold: missed };
    const room = Object.keys(counters).length + Object.keys(ours).length <= limits.counters;
    return room ? { ...counters, ...ours } : counters;
  }

  /** One after the other; what is wanted last holds. */
  #follow(wantsTrace: boolean): Promise<void> {
    if (wantsTrace !== this.#wantsTrace) {
      this.#wantsTrace = wantsTrace;
      this.#changing = this.#changing.then(() => this.#change()).catch((error: unknown) => this.#tell(error));
    }
    return this.#changing;
  }

  async #change(): Promise<void> {
    if (this.#wantsTrace === (this.#trace !== undefined)) return;
    if (this.#trace) {
      const trace = this.#trace;
      this.#trace = undefined;
      traced--;
      await trace.stop();
      return;
    }
    if (traced >= tracedMost)
      throw new VmcallError(
        'WAKES_UNDATED',
        `the interrupts of ${tracedMost} domains are traced already`,
        'Measure fewer domains at once',
      );
    const addresses = hostdevs(this.host, this.place().pid);
    const [address] = addresses;
    if (address === undefined || addresses.length > 1)
      throw new VmcallError(
        'WAKES_UNDATED',
        `the domain has ${addresses.length} passed-through PCI functions, and which its dataplane has is not known`,
        'Give it one',
      );
    if (!mayTrace(this.domain, performance.now()))
      throw new VmcallError(
        'WAKES_UNDATED',
        'its interrupts were traced too often recently: each time costs every CPU of the host',
        'Measure it again in some seconds',
      );
    traced++;
    try {
      this.#trace = await InterruptTrace.start(this.host, `${this.domain}-${++started}`, address);
    } catch (error) {
      traced--;
      throw error;
    }
  }

  /** Once a measurement: the latency of the injected path is not there, and the rest goes on. */
  #tell(error: unknown): void {
    if (this.#problem) return;
    const code = error instanceof VmcallError ? error.code : 'WAKES_UNDATED';
    this.#problem = {
      code,
      message: (error instanceof Error ? error.message : String(error)).slice(0, 2000),
    };
    this.log.warn({ err: error }, `no wake latency of injected interrupts: ${describeError(error)}`);
  }
}
