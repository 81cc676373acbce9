// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import {
  type Desire,
  type DesiredAnswer,
  desiredSchema,
  desireSchema,
  enrolledSchema,
  enrolmentsSchema,
  enrolSchema,
  plannedSchema,
  type Released,
  releasedSchema,
  releaseSchema,
  revokedSchema,
  revokeSchema,
} from '../../src/control/schema.js';
import { desiredPathSchema, domainSchema } from '../../src/protocol/fields.js';
import type { Log } from '../../src/support/log.js';
import { readBody } from './body.js';
import type { Controlled } from './controlled.js';
import { badRequest, refuse } from './refusals.js';

/**
 * Does what a request asks for.
 * @returns the answer, and the schema that it must have
 * @throws VmcallError CONTROL_NOT_FOUND, CONTROL_BAD_REQUEST, and as `controlled` does
 */
export async function route(
  request: IncomingMessage,
  controlled: Controlled,
  log: Log,
): Promise<[z.ZodType, unknown]> {
  const { method, url = '' } = request;
  // A status is not looked through as a whole: each domain was, and none keeps the others' from being reported.
  if (method === 'GET' && url === '/domains') return [z.unknown(), await controlled.status()];
  if (method === 'PUT' && url === '/desired')
    return [desiredSchema, await desire(await readBody(request, desireSchema), controlled, log)];
  if (method === 'PUT' && url === '/released')
    return [releasedSchema, await release(await readBody(request, releaseSchema), controlled, log)];
  if (method === 'PUT' && url === '/enrolled')
    return [enrolledSchema, await controlled.enrol(await readBody(request, enrolSchema))];
  if (method === 'GET' && url === '/enrolments') return [enrolmentsSchema, await controlled.enrolments()];
  if (method === 'PUT' && url === '/revoked') {
    const was = await controlled.revoke((await readBody(request, revokeSchema)).domain);
    return [revokedSchema, { format: 'vmcall-revoked', version: 1, was }];
  }
  const [, uuid, path] = /^\/domains\/([^/]+)(?:\/plan\/([^/]+))?$/.exec(url) ?? [];
  if (method === 'GET' && uuid !== undefined && domainSchema.safeParse(uuid).success) {
    if (path === undefined) return [z.unknown(), await controlled.status(uuid)];
    const known = desiredPathSchema.nullable().safeParse(path === 'none' ? null : path);
    if (known.success) return [plannedSchema, controlled.plan(uuid, known.data)];
  }
  throw badRequest('CONTROL_NOT_FOUND', `there is no ${method} ${url.slice(0, 200)}`);
}

async function release(
  { lease }: z.infer<typeof releaseSchema>,
  controlled: Controlled,
  log: Log,
): Promise<Released> {
  const failures = await controlled.leases.release(lease);
  const domains = [...failures].map(([uuid, error]) => ({ uuid, refusal: refuse(error, log) }));
  return { format: 'vmcall-released', version: 1, domains };
}

/** Of many domains at once: one that cannot be had keeps none from it. */
async function desire(
  { domains, path, lease }: Desire,
  controlled: Controlled,
  log: Log,
): Promise<DesiredAnswer> {
  const each = domains.map(async (uuid) => {
    const taken = controlled.desire(uuid, path, lease);
    return {
      uuid,
      refusal: await taken.then(
        () => null,
        (error) => refuse(error, log),
      ),
    };
  });
  return { format: 'vmcall-desired', version: 2, path, domains: await Promise.all(each) };
}
