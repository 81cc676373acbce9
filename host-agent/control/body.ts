// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { controlLimits } from '../../src/control/schema.js';
import { badRequest } from './refusals.js';

/** A request's body, bounded and checked. @throws VmcallError CONTROL_BAD_REQUEST */
export async function readBody<T>(request: IncomingMessage, schema: z.ZodType<T>): Promise<T> {
  const most = controlLimits.requestBytes;
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > most) throw badRequest('CONTROL_BAD_REQUEST', `a body of more than ${most} bytes`);
    parts.push(part);
  }
  try {
    return schema.parse(JSON.parse(Buffer.concat(parts).toString('utf8')));
  } catch (error) {
    throw badRequest('CONTROL_BAD_REQUEST', `the body: ${(error as Error).message.slice(0, 500)}`);
  }
}
