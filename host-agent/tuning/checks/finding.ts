// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

export const findingSchema = z.strictObject({
  /** Stable: may be matched on. */
  code: z.string().regex(/^[a-z0-9-]+$/),
  /** fail: not fit for the VM-call path or its latency. warn: worse than it need be. */
  severity: z.enum(['ok', 'warn', 'fail']),
  /** What was read, and where. */
  read: z.string(),
  /**
   * What to do; null where nothing is. Either words, or what a shell of root's runs as it stands, with more words after
   * a `#`: that begins with a small letter and has no full stop at its end.
   */
  todo: z.string().nullable(),
  /** What undoes `todo`, in the same way; null where all is well. */
  undo: z.string().nullable(),
  /** What harm it does, and where that is documented; null where all is well. */
  why: z.string().nullable(),
  source: z.string().nullable(),
  /** True where nothing can be done: it cannot work here. */
  unsupported: z.boolean(),
});
export type Finding = z.infer<typeof findingSchema>;

const plain = { undo: null, why: null, source: null, unsupported: false } as const;

export const ok = (code: string, read: string): Finding => ({
  code,
  severity: 'ok',
  read,
  todo: null,
  ...plain,
});
export const warn = (code: string, read: string, todo: string): Finding => ({
  code,
  severity: 'warn',
  read,
  todo,
  ...plain,
});
export const fail = (code: string, read: string, todo: string): Finding => ({
  code,
  severity: 'fail',
  read,
  todo,
  ...plain,
});
export const unsupported = (code: string, read: string, todo: string): Finding => ({
  ...fail(code, read, todo),
  unsupported: true,
});
