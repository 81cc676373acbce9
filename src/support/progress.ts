// SPDX-License-Identifier: Apache-2.0

/** Where long work says what it is doing: always stderr, so that stdout carries data alone. */
export interface Progress {
  /** A new step begins. */
  step(text: string): void;
  /** How far the present step is, 0 to 1, and what it is at. */
  advance(fraction: number, text: string): void;
}

const barWidth = 24;
const narrowBarWidth = 8;
const narrow = 60;
/** Less than this, of a step or in s, is no ground to say how long the rest takes. */
const leastShare = 0.04;
const leastSeconds = 2;

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
  /** The first that was heard of the present step's course. */
  let since: { fraction: number; ms: number } | undefined;
  const endBar = () => {
    if (barOpen) stream.write('\n');
    barOpen = false;
  };
  return {
    step(text) {
      lastTenth = -1;
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
        const columns = stream.columns || 80;
        const width = columns < narrow ? narrowBarWidth : barWidth;
        const filled = Math.round(at.fraction * width);
        const bar = `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}] `;
        // A line that wraps cannot be rewritten.
        const room = Math.max(0, columns - bar.length - rest.length - 1);
        stream.write(`\r\x1b[K${`${bar}${text.slice(0, room)}${rest}`.slice(0, columns - 1)}`);
        barOpen = true;
        if (at.fraction === 1) endBar();
        return;
      }
      const tenth = Math.floor(at.fraction * 10);
      if (tenth === lastTenth) return;
      lastTenth = tenth;
      stream.write(`${clockTime()}   ${Math.round(at.fraction * 100)} % ${text}${rest}\n`);
    },
  };
}
