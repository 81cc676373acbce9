// SPDX-License-Identifier: Apache-2.0
import type { z } from 'zod';
import { VmcallError } from '../support/errors.js';
import { limits } from './limits.js';

export type Decoded<T> = { message: T } | { problem: string };

/** A received text as a message; never throws. The problem names the place, never the other side's text. */
export function decodeMessage<T>(text: string, schema: z.ZodType<T>): Decoded<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'not JSON' };
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return { message: parsed.data };
  const issue = parsed.error.issues[0];
  const place = issue?.path.length
    ? issue.path.slice(0, 8).map(String).join('.').slice(0, 60)
    : 'the message';
  return { problem: `${place}: ${issue?.code ?? 'not as the schema has it'}` };
}

/**
 * A message as text.
 * @throws VmcallError PROTOCOL_UNSENDABLE: it fits no schema or is too long, which is a defect of the sender
 */
export function encodeMessage<T>(message: T, schema: z.ZodType<T>): string {
  const parsed = schema.safeParse(message);
  if (!parsed.success)
    throw new VmcallError(
      'PROTOCOL_UNSENDABLE',
      `a message that does not fit its schema: ${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}`,
      'This is a defect of vmcall; please report it',
    );
  const text = JSON.stringify(parsed.data);
  if (Buffer.byteLength(text) > limits.frameBytes)
    throw new VmcallError(
      'PROTOCOL_UNSENDABLE',
      `a message of ${Buffer.byteLength(text)} bytes, more than ${limits.frameBytes}`,
      'This is a defect of vmcall; please report it',
    );
  return text;
}
