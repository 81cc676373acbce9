// SPDX-License-Identifier: Apache-2.0

/** Where long work says what it is doing: always stderr, so that stdout carries data alone. */
export interface Progress {
  /** A new step begins. */
  step(text: string): void;
  /** How far the present step is, 0 to 1, and what it is at. */
  advance(fraction: number, text: string): void;
  /** The present step takes longer than was said: it has taken `seconds` by now, where `expected` are usual. */
  overrun(text: string, seconds: number, expected: number): void;
}

/** What a bar shows of a step that takes longer than expected. */
export const nearlyDone = 0.95;
const barWidth = 24;
const narrowBarWidth = 8;
const narrow = 60;
/** Less than this, of a step or in s, is no ground to say how long the rest takes. */
const leastShare = 0.04;
const leastSeconds = 2;
/** In a log, a step that takes longer than was said speaks again after this much of the time it usually takes, … */
const overrunShare = 0.5;
/** … but not sooner than after these, s. */
const overrunSeconds = 20;

function clockTime(): string {
  return new Date().toISOString().slice(11, 19);
}

/** Minutes and seconds. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** How long the rest takes at the pace so far, s; undefined while that cannot be said. */
export function secondsLeft(
  since: { fraction: number; ms: number },
  now: { fraction: number; ms: number },
): number | undefined {
  const [done, seconds] = [now.fraction - since.fraction, (now.ms - since.ms) / 1000];
  if (done < leastShare || seconds < leastSeconds) return undefined;
  return (seconds / done) * (1 - now.fraction);
}

/**
 * On a terminal a bar with the time left, which rewrites its line; in a log a line for each step and each tenth part.
 * @param now ms of a clock that never goes back
 */
export function stderrProgress(
  stream: Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'> = process.stderr,
  now: () => number = () => performance.now(),
): Progress {
  let lastTenth = -1;
  let barOpen = false;
  /** When an overrun was last reported, s of its step. */
  let toldOverrun = 0;
  /** The first that was heard of the present step's course. */
  let since: { fraction: number; ms: number } | undefined;
  const endBar = () => {
    if (barOpen) stream.write('\n');
    barOpen = false;
  };
  /** Rewrites the bar's line; one that wraps could not be rewritten. */
  const bar = (fraction: number, text: string, rest: string) => {
    const columns = stream.columns || 80;
    const width = columns < narrow ? narrowBarWidth : barWidth;
    const filled = Math.round(fraction * width);
    const drawn = `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}] `;
    const room = Math.max(0, columns - drawn.length - rest.length - 1);
    stream.write(`\r\x1b[K${`${drawn}${text.slice(0, room)}${rest}`.slice(0, columns - 1)}`);
    barOpen = true;
  };
  return {
    step(text) {
      lastTenth = -1;
      toldOverrun = 0;
      since = undefined;
      endBar();
      stream.write(`${clockTime()} ${text}\n`);
    },
    advance(fraction, text) {
      const at = { fraction: Math.min(1, Math.max(0, fraction)), ms: now() };
      since ??= at;
      const left = at.fraction < 1 ? secondsLeft(since, at) : undefined;
      const rest = left === undefined ? '' : `, about ${duration(left)} left`;
      if (stream.isTTY) {
        bar(at.fraction, text, rest);
        if (at.fraction === 1) endBar();
        return;
      }
      const tenth = Math.floor(at.fraction * 10);
      if (tenth === lastTenth) return;
      lastTenth = tenth;
      stream.write(`${clockTime()}   ${Math.round(at.fraction * 100)} % ${text}${rest}\n`);
    },
    overrun(text, seconds, expected) {
      const rest = `, ${duration(seconds)} by now, usually ${duration(expected)}`;
      if (stream.isTTY) return bar(nearlyDone, text, rest);
      if (seconds - toldOverrun < Math.max(overrunSeconds, overrunShare * expected)) return;
      toldOverrun = seconds;
      stream.write(`${clockTime()}   ${text}${rest}\n`);
    },
  };
}
