// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { LabStage } from '../events.js';
import { ordersPort } from '../machine.js';
import { type Order, orderSchema } from '../orders.js';
import { emit } from './events.js';
import { portDevice } from './ports.js';

/** Waits at a stage until L0 says what to do: in between, it may save the machine and restore it. */
export function openOrders(): (stage: LabStage) => Promise<Order> {
  const device = portDevice(ordersPort);
  if (!device) throw new Error(`this machine has no virtio-serial port ${ordersPort}`);
  const lines = createInterface({ input: createReadStream(device) })[Symbol.asyncIterator]();
  return async (stage) => {
    emit({ type: 'waiting', stage });
    const { value, done } = await lines.next();
    if (done) throw new Error(`L0 closed the port ${ordersPort}`);
    return orderSchema.parse(JSON.parse(value));
  };
}
