// SPDX-License-Identifier: Apache-2.0

/** What the watchdog sees of a running lab at one moment. */
export interface Vitals {
  /** CPU time QEMU has used, s: the emulator's own measure of how long it had to work, however busy the machine. */
  cpuSeconds: number;
  /** Real time, s. */
  realSeconds: number;
  /** Bytes of events and consoles so far: progress of any kind. */
  output: number;
  /** New console text. */
  console: string;
}

/** CPU time without a byte of output after which the lab has hung, s. A boot's longest silence is under 30 s. */
const silentCpuLimit = 240;
/** Real time without a byte of output after which L1's CPUs wait for what will not come, s, on the busiest machine. */
const silentRealLimit = 900;

/** Console lines after which a run cannot be trusted or will not end, and what each means. */
const fatalSigns: readonly [RegExp, string][] = [
  [/user requested TSC rate below hardware speed/, "L1's TSC calibration was wrong: its guests hang"],
  [/Unable to calibrate against PIT/, "L1's TSC calibration failed: its guests hang"],
  // With parallel CPUs, QEMU may run code that the kernel changed meanwhile, with the breakpoint of the change in it.
  [/Oops: int3/, 'the emulator ran code that the kernel was changing'],
  [/Kernel panic/, 'a kernel panicked'],
  [/\b(Oops|BUG|general protection fault)\b:/, 'a kernel crashed'],
  [/detected stalls|self-detected stall|blocked for more than \d+ seconds/, 'a kernel stalled'],
];

/** Judges progress, not seconds: a loaded machine is slow, not hung. Pure, so that tests can drive it. */
export class Watchdog {
  #output = -1;
  #cpuAtProgress = 0;
  #realAtProgress = 0;

  /** `patience` times the usual silence is tolerated. */
  constructor(private readonly patience = 1) {}

  /** Why the run must end now, or nothing. */
  judge(vitals: Vitals): string | undefined {
    for (const [sign, meaning] of fatalSigns) {
      const found = vitals.console.split('\n').find((line) => sign.test(line));
      if (found) return `${meaning} ("${found.trim().slice(0, 160)}")`;
    }
    if (vitals.output !== this.#output) {
      this.#output = vitals.output;
      this.#cpuAtProgress = vitals.cpuSeconds;
      this.#realAtProgress = vitals.realSeconds;
    }
    const silent = vitals.cpuSeconds - this.#cpuAtProgress;
    const cpuLimit = silentCpuLimit * this.patience;
    if (silent > cpuLimit) return `no sign of progress in ${cpuLimit} s of the emulator's CPU time`;
    const realLimit = silentRealLimit * this.patience;
    if (vitals.realSeconds - this.#realAtProgress > realLimit) return `no sign of progress in ${realLimit} s`;
    return undefined;
  }
}
