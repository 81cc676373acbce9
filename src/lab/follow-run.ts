// SPDX-License-Identifier: Apache-2.0
import { open, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Emulator } from './emulator.js';
import { type LabEvent, labEventSchema } from './events.js';
import { runFiles } from './machine.js';
import type { Watchdog } from './watchdog.js';

const lookEvery = 100;
/** ms */
const registersWithin = 10_000;

/** The emulation died, or what ran in it failed: worth another attempt. */
export class AttemptFailed extends Error {}

export interface Followed {
  events: LabEvent[];
  /** Share of its steps that were done when it ended: 1 unless it was ended by the request's signal. */
  done: number;
}

/**
 * Follows a running L1 to its end: hands out its events one after the other, feeds the watchdog.
 * @param heed resolves when the event was seen to
 */
export async function followRun(
  emulator: Emulator,
  run: string,
  watchdog: Watchdog,
  heed: (event: LabEvent) => Promise<void>,
  signal?: AbortSignal,
): Promise<Followed> {
  const events: LabEvent[] = [];
  const started = Date.now();
  const readEvents = follow(join(run, runFiles.events));
  const consoles = [runFiles.hostConsole, runFiles.guestConsole].map((name) => follow(join(run, name)));
  let output = 0;
  let partial = '';
  let done = 0;
  for (;;) {
    const last = emulator.ended;
    const fresh = await readEvents();
    const console = (await Promise.all(consoles.map((read) => read()))).join('');
    output += fresh.length + console.length;
    const lines = (partial + fresh).split('\n');
    partial = lines.pop() ?? '';
    for (const line of lines) {
      const event = labEventSchema.parse(JSON.parse(line));
      events.push(event);
      if (event.type === 'step') done = event.fraction;
      // What came before belongs to no run.
      if (event.type === 'waiting') done = 0;
      await heed(event);
      if (event.type === 'failed') throw new AttemptFailed(event.message);
      if (event.type === 'done') return { events, done: 1 };
    }
    // Before anything else is held against QEMU: what ends us by the terminal ends it too.
    if (signal?.aborted) return { events, done };
    if (emulator.spawnError) throw emulator.spawnError;
    // What its kernel died of says more than that QEMU ended.
    const { cpuSeconds } = emulator;
    const why = watchdog.judge({ cpuSeconds, realSeconds: (Date.now() - started) / 1000, output, console });
    if (why) {
      await keepRegisters(emulator, join(run, 'registers.txt'));
      throw new AttemptFailed(why);
    }
    if (last) throw new AttemptFailed(`QEMU ended early: ${await emulator.lastWords()}`);
    await delay(lookEvery, undefined, signal && { signal }).catch(() => {});
  }
}

/** Says where its CPUs are, for who looks into it; a QEMU that does not answer has none. */
async function keepRegisters(emulator: Emulator, file: string): Promise<void> {
  const registers = await Promise.race([
    emulator.registers().catch(() => undefined),
    delay(registersWithin, undefined, { ref: false }),
  ]);
  if (registers !== undefined) await writeFile(file, registers);
}

/** Reads what was added to a file since the last call. */
function follow(path: string): () => Promise<string> {
  let offset = 0;
  return async () => {
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    if (size <= offset) return '';
    const file = await open(path);
    try {
      const buffer = Buffer.alloc(size - offset);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
      offset += bytesRead;
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  };
}
