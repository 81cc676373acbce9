// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { VmcallError } from '../support/errors.js';
import { pathResultSchema, type Result, resultSchema, roundResultSchema } from './schema.js';

const pathSchemaV1 = pathResultSchema
  .omit({ stages: true })
  .extend({ rounds: z.array(roundResultSchema.omit({ latency_histogram: true })) });

/** Version 1: no rounds' histograms, no timeline, no stages, no partial runs, and only this project made it. */
const resultSchemaV1 = resultSchema
  .omit({
    made_by: true,
    quantity: true,
    resolution_ns: true,
    notes: true,
    tuning: true,
    timeline: true,
    partial: true,
  })
  .extend({
    version: z.literal(1),
    clock: z.enum(['instruction', 'realtime']),
    paths: z.array(pathSchemaV1),
    references: z.array(pathSchemaV1),
  });

/** Version 2: other names, see `renamed`. */
const resultSchemaV2 = resultSchema.extend({ version: z.literal(2) });

function fromV1({ paths, references, ...rest }: z.infer<typeof resultSchemaV1>): Result {
  const path = ({ rounds, ...others }: z.infer<typeof pathSchemaV1>) => ({
    ...others,
    rounds: rounds.map((round) => ({ ...round, latency_histogram: null })),
  });
  return {
    ...rest,
    version: 3,
    made_by: { name: 'vmcall', version: '0.1.0' },
    quantity: 'round-trip',
    resolution_ns: 1,
    paths: paths.map(path),
    references: references.map(path),
    notes: [],
  };
}

/** Names of versions 1 and 2, whose latencies need not be round trips. */
const renamed: Readonly<Record<string, string>> = {
  rtt_ns: 'latency_ns',
  rtt_histogram: 'latency_histogram',
};

/** What of a document holds latencies, and which of it again does. */
const holders: Readonly<Record<string, string>> = {
  paths: 'rounds',
  references: 'rounds',
  timeline: 'points',
};

function renameWithin(value: unknown, [inner, ...deeper]: readonly string[]): unknown {
  if (Array.isArray(value))
    return value.map((each) => renameWithin(each, inner === undefined ? [] : [inner]));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, held]) => [
      Object.hasOwn(renamed, key) ? renamed[key] : key,
      key === inner ? renameWithin(held, deeper) : held,
    ]),
  );
}

/** The document with today's names. */
function withNewNames(document: unknown): unknown {
  if (typeof document !== 'object' || document === null) return document;
  return Object.fromEntries(
    Object.entries(document).map(([key, held]) => {
      const inner = Object.hasOwn(holders, key) ? holders[key] : undefined;
      return [key, inner === undefined ? held : renameWithin(held, [inner])];
    }),
  );
}

const envelopeSchema = z.looseObject({ format: z.literal('vmcall-result'), version: z.int().min(1) });

/**
 * A result document of any version as one of the present version. `source` names it in errors: `RESULT_INVALID` for
 * what is no result, `RESULT_TOO_NEW` for a version this program does not know.
 */
export function parseResult(document: unknown, source: string): Result {
  const check = <T>(schema: z.ZodType<T>, of = document): T => {
    const parsed = schema.safeParse(of);
    if (parsed.success) return parsed.data;
    const why = z.prettifyError(parsed.error).split('\n').slice(0, 6).join('\n  ').slice(0, 1000);
    throw new VmcallError(
      'RESULT_INVALID',
      `${source} is not a result document:\n  ${why}`,
      "Give a result.json that 'vmcall lab' or 'vmcall import' wrote, or a folder that holds one",
    );
  };
  const { version } = check(envelopeSchema);
  if (version === 1) return fromV1(check(resultSchemaV1, withNewNames(document)));
  if (version === 2) return { ...check(resultSchemaV2, withNewNames(document)), version: 3 };
  if (version === 3) return check(resultSchema);
  throw new VmcallError(
    'RESULT_TOO_NEW',
    `${source} is a result of version ${version}; this program reads versions 1 to 3`,
    'Read it with the program that made it, or a newer one',
  );
}
