// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import type { Energy, Share, Stretch } from '../results/energy.js';
import { type CpuTimes, cpuTimes } from './cpu-times.js';
import { energyOf, type Files, powercapZones, type Zone } from './powercap.js';

/** A package's counter begins again after minutes at the earliest. ms */
const sampleMs = 20_000;

interface Clock {
  /** ms */
  now(): number;
}

/** One stretch that is being measured; sampled, so that no counter begins again unseen. */
class Running {
  readonly #from: { at: number; times: CpuTimes | null };
  readonly #last = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  #joules = 0;
  #broken = false;

  constructor(
    private readonly files: Files,
    private readonly zones: readonly Zone[],
    private readonly pid: number | null,
    private readonly clock: Clock,
  ) {
    this.#from = { at: clock.now(), times: cpuTimes(files, pid) };
    this.sample();
    this.#timer = setInterval(() => this.sample(), sampleMs).unref();
  }

  sample(): void {
    for (const { file, range } of this.zones) {
      const now = energyOf(this.files, file);
      const before = this.#last.get(file);
      if (now === null) this.#broken = true;
      else {
        if (before !== undefined) this.#joules += (now >= before ? now - before : now - before + range) / 1e6;
        this.#last.set(file, now);
      }
    }
  }

  /** Null where a counter could not be read to the end, or no time has passed. */
  end(): (Stretch & { vm: Share | null }) | null {
    clearInterval(this.#timer);
    this.sample();
    const seconds = (this.clock.now() - this.#from.at) / 1000;
    if (this.#broken || seconds <= 0) return null;
    const joules = this.#joules;
    return { seconds, joules, watt_hours_per_hour: joules / seconds, vm: this.#share(joules) };
  }

  #share(joules: number): Share | null {
    const [before, after] = [this.#from.times, cpuTimes(this.files, this.pid)];
    if (!before || !after || before.vm === null || after.vm === null) return null;
    const [total, busy] = [after.total - before.total, after.busy - before.busy];
    const cpu_seconds = Math.max(0, after.vm - before.vm);
    if (total <= 0 || busy <= 0) return null;
    const of_busy = Math.min(1, cpu_seconds / busy);
    // The part that CPUs spent idling is nobody's.
    return { cpu_seconds, of_busy, joules: joules * (busy / total) * of_busy };
  }
}

/** Measures what a host takes before, while and after something is done. */
export class EnergyMeter {
  readonly #during: Energy['during'] = [];
  #before: Stretch | null = null;
  #after: Stretch | null = null;

  private constructor(
    private readonly files: Files,
    private readonly zones: readonly Zone[],
    private readonly pid: number | null,
    private readonly clock: Clock,
  ) {}

  /** @param pid of the VM's process @returns why there is nothing to measure, where there is not */
  static open(
    files: Files,
    pid: number | null,
    clock: Clock = performance,
  ): { meter: EnergyMeter } | { absent: string } {
    const found = powercapZones(files);
    return 'absent' in found ? found : { meter: new EnergyMeter(files, found.zones, pid, clock) };
  }

  /** The host for so long as it is before anything is done; ends with the signal. */
  async before(ms: number, signal?: AbortSignal): Promise<void> {
    this.#before = await this.#idle(ms, signal);
  }

  async after(ms: number, signal?: AbortSignal): Promise<void> {
    this.#after = await this.#idle(ms, signal);
  }

  /** While something is done. @param packetsOf what it did took in so many packets; null: they were not counted */
  async during<T>(
    work: () => Promise<T>,
    told: (done: T) => { of: string; packets: number | null } | null,
  ): Promise<T> {
    const running = new Running(this.files, this.zones, this.pid, this.clock);
    const done = await work().catch((error: unknown) => {
      running.end();
      throw error;
    });
    const stretch = running.end();
    const what = stretch && told(done);
    if (stretch && what)
      this.#during.push({ ...stretch, ...what, joules_per_packet: each(stretch.joules, what.packets) });
    return done;
  }

  /** One row for each thing that was measured, its rounds added up. */
  get energy(): Energy {
    const rows = new Map<string, Energy['during'][number]>();
    for (const row of this.#during) rows.set(row.of, sum(rows.get(row.of), row));
    return {
      zones: this.zones.map(({ name }) => name),
      before: this.#before,
      after: this.#after,
      during: [...rows.values()],
    };
  }

  async #idle(ms: number, signal?: AbortSignal): Promise<Stretch | null> {
    const running = new Running(this.files, this.zones, null, this.clock);
    await delay(ms, undefined, { ...(signal && { signal }) }).catch(() => {});
    const { vm: _vm, ...stretch } = running.end() ?? { vm: null };
    return 'seconds' in stretch ? stretch : null;
  }
}

const each = (joules: number, packets: number | null) =>
  packets === null || packets === 0 ? null : joules / packets;

function sum(
  before: Energy['during'][number] | undefined,
  row: Energy['during'][number],
): Energy['during'][number] {
  if (!before) return row;
  const seconds = before.seconds + row.seconds;
  const joules = before.joules + row.joules;
  const packets = before.packets === null || row.packets === null ? null : before.packets + row.packets;
  const [a, b] = [before.vm, row.vm];
  const busy =
    a &&
    b &&
    [a, b].reduce((all, { cpu_seconds, of_busy }) => all + (of_busy > 0 ? cpu_seconds / of_busy : 0), 0);
  const cpu_seconds = a && b && a.cpu_seconds + b.cpu_seconds;
  return {
    of: row.of,
    seconds,
    joules,
    watt_hours_per_hour: joules / seconds,
    packets,
    joules_per_packet: each(joules, packets),
    vm:
      a && b && cpu_seconds !== null
        ? { cpu_seconds, of_busy: busy ? Math.min(1, cpu_seconds / busy) : 0, joules: a.joules + b.joules }
        : null,
  };
}
