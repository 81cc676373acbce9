// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';

const ports = '/sys/class/virtio-ports';

/**
 * The device of a virtio-serial port: `machine.ts` names them.
 * L1 has no udev, which makes `/dev/virtio-ports/` elsewhere.
 */
export function portDevice(name: string): string | undefined {
  const entry = readdirSync(ports).find((found) => readText(found) === name);
  return entry && `/dev/${entry}`;
}

const readText = (entry: string) => readFileSync(`${ports}/${entry}/name`, 'utf8').trim();
