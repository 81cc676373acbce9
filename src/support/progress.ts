// SPDX-License-Identifier: Apache-2.0

/** Where long work says what it is doing: always stderr, so that stdout carries data alone. */
export interface Progress {
  /** A new step begins. */
  step(text: string): void;
  /** How far the present step is, 0 to 1, and what remains as a person would say it. */
  advance(fraction: number, text: string): void;
}

const barWidth = 24;

function clockTime(): string {
  return new Date().toISOString().slice(11, 19);
}

/** A bar that rewrites its line on a terminal; a line for each step and each tenth part in a log. */
export function stderrProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  let lastTenth = -1;
  let barOpen = false;
  return {
    step(text) {
      lastTenth = -1;
      if (barOpen) stream.write('\n');
      barOpen = false;
      stream.write(`${clockTime()} ${text}\n`);
    },
    advance(fraction, text) {
      const share = Math.min(1, Math.max(0, fraction));
      if (stream.isTTY) {
        const filled = Math.round(share * barWidth);
        stream.write(`\r\x1b[K[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${text}`);
        barOpen = share < 1;
        if (!barOpen) stream.write('\n');
        return;
      }
      const tenth = Math.floor(share * 10);
      if (tenth === lastTenth) return;
      lastTenth = tenth;
      stream.write(`${clockTime()}   ${Math.round(share * 100)} % ${text}\n`);
    },
  };
}
