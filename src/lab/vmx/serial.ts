// SPDX-License-Identifier: Apache-2.0
import { parseTap, type TestCase } from '../tap.js';

/** What one step of the plan did. */
export interface VmxStepRun {
  name: string;
  /** Exit status of its program; none if the machine did not live to see it. */
  ended: number | undefined;
  output: string[];
  kernelLog: string[];
  /** Of a program that prints TAP. */
  cases: TestCase[];
  incomplete: string[];
}

export interface SerialLog {
  /** `uname -r` of the machine. */
  release: string | undefined;
  steps: VmxStepRun[];
  /** Modules that could not be loaded or unloaded. */
  refused: string[];
  /** The plan was run to its end. */
  done: boolean;
}

/** Reads what init.sh wrote to the serial port, whole or cut off. */
export function parseSerial(text: string): SerialLog {
  const log: SerialLog = { release: undefined, steps: [], refused: [], done: false };
  let step: VmxStepRun | undefined;
  for (const line of text.replaceAll('\r', '').split('\n')) {
    const [, verb = '', rest = ''] = /^@@ (\w+) ?(.*)$/.exec(line) ?? [];
    if (verb === 'release') log.release = rest;
    else if (verb === 'refused') log.refused.push(rest);
    else if (verb === 'done') log.done = true;
    else if (verb === 'begin') {
      step = { name: rest, ended: undefined, output: [], kernelLog: [], cases: [], incomplete: [] };
      log.steps.push(step);
    } else if (verb === 'kernel') step?.kernelLog.push(rest);
    else if (verb === 'end' && step) {
      step.ended = Number(rest.split(' ')[0]);
      step = undefined;
    } else step?.output.push(line);
  }
  for (const each of log.steps) Object.assign(each, parseTap(`${each.output.join('\n')}\n`));
  return log;
}
