// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { VmcallError } from '../support/errors.js';
import { pathResultSchema, type Result, resultSchema, roundResultSchema } from './schema.js';

const pathSchemaV1 = pathResultSchema
  .omit({ stages: true })
  .extend({ rounds: z.array(roundResultSchema.omit({ rtt_histogram: true })) });

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

function fromV1({ paths, references, ...rest }: z.infer<typeof resultSchemaV1>): Result {
  const path = ({ rounds, ...others }: z.infer<typeof pathSchemaV1>) => ({
    ...others,
    rounds: rounds.map((round) => ({ ...round, rtt_histogram: null })),
  });
  return {
    ...rest,
    version: 2,
    made_by: { name: 'vmcall', version: '0.1.0' },
    quantity: 'round-trip',
    resolution_ns: 1,
    paths: paths.map(path),
    references: references.map(path),
    notes: [],
  };
}

const envelopeSchema = z.looseObject({ format: z.literal('vmcall-result'), version: z.int().min(1) });

/**
 * A result document of any version as one of the present version. `source` names it in errors: `RESULT_INVALID` for
 * what is no result, `RESULT_TOO_NEW` for a version this program does not know.
 */
export function parseResult(document: unknown, source: string): Result {
  const check = <T>(schema: z.ZodType<T>): T => {
    const parsed = schema.safeParse(document);
    if (parsed.success) return parsed.data;
    const why = z.prettifyError(parsed.error).split('\n').slice(0, 6).join('\n  ').slice(0, 1000);
    throw new VmcallError(
      'RESULT_INVALID',
      `${source} is not a result document:\n  ${why}`,
      "Give a result.json that 'vmcall lab' or 'vmcall import' wrote, or a folder that holds one",
    );
  };
  const { version } = check(envelopeSchema);
  if (version === 1) return fromV1(check(resultSchemaV1));
  if (version === 2) return check(resultSchema);
  throw new VmcallError(
    'RESULT_TOO_NEW',
    `${source} is a result of version ${version}; this program reads versions 1 and 2`,
    'Read it with the program that made it, or a newer one',
  );
}
