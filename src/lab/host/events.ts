// SPDX-License-Identifier: Apache-2.0
import { openSync, writeSync } from 'node:fs';
import type { LabEvent } from '../events.js';
import { eventsPort } from '../machine.js';
import { portDevice } from './ports.js';

let port: number | undefined;

function openPort(): number {
  const device = portDevice(eventsPort);
  if (!device)
    throw new Error(`this machine has no virtio-serial port ${eventsPort}: it was not started by the lab`);
  return openSync(device, 'w');
}

/** Reports to L0. A line each, written at once, so that a run that dies has said all it knew. */
export function emit(event: LabEvent): void {
  port ??= openPort();
  const bytes = Buffer.from(`${JSON.stringify(event)}\n`);
  for (let written = 0; written < bytes.length; ) written += writeSync(port, bytes, written);
}
