// SPDX-License-Identifier: Apache-2.0
import { openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import type { LabEvent } from '../events.js';

let port: number | undefined;

function openPort(): number {
  const ports = '/sys/class/virtio-ports';
  const entry = readdirSync(ports).find(
    (name) => readFileSync(`${ports}/${name}/name`, 'utf8').trim() === 'vmcall.events',
  );
  if (!entry)
    throw new Error('this machine has no virtio-serial port vmcall.events: it was not started by the lab');
  return openSync(`/dev/${entry}`, 'w');
}

/** Tells L0. A line each, written at once, so that a run that dies has said all it knew. */
export function emit(event: LabEvent): void {
  port ??= openPort();
  const bytes = Buffer.from(`${JSON.stringify(event)}\n`);
  for (let written = 0; written < bytes.length; ) written += writeSync(port, bytes, written);
}
