// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { DomainStatus } from '../../src/control/schema.js';
import { desiredPathSchema, pathSchema } from '../../src/protocol/fields.js';
import { VmcallError } from '../../src/support/errors.js';
import { desiredIn, type Libvirt } from '../libvirt/libvirt.js';
import type { DomainKeeper } from '../switch/domain-keeper.js';

const elementSchema = z
  .string()
  .max(4 << 20)
  .nullable();

/** A journal of an earlier build calls the metadata `wish`. */
const renameWish = (read: unknown) => {
  if (typeof read !== 'object' || read === null || !('wish' in read)) return read;
  const { wish, ...rest } = read;
  return { metadata: wish, ...rest };
};

/** How a domain stood before somebody else's measurement. */
export const beforeSchema = z.preprocess(
  renameWish,
  z.strictObject({
    /** Our metadata, verbatim. */
    metadata: z.strictObject({ live: elementSchema.optional(), config: elementSchema.optional() }),
    desired: desiredPathSchema,
    desired_from: z.enum(['metadata', 'default', 'invalid']),
    /** What its guest was on: without a desired path that is its own. */
    guest: pathSchema.nullable(),
    phase: z.enum(['reached', 'moving', 'blocked']),
  }),
);
export type Before = z.infer<typeof beforeSchema>;

export interface LeasedDomain {
  uuid: string;
  libvirt: Pick<Libvirt, 'readDesiredMetadata' | 'writeDesiredMetadata' | 'setDesired'>;
  keeper: Pick<DomainKeeper, 'status' | 'desire'>;
}

/** From the desired path to the actual one, ms: two requests to the guest; below the control client's patience. */
const patienceMs = 25_000;

/** @throws VmcallError NO_DOMAIN, LIBVIRT_*; LibvirtError */
export async function remember({ uuid, libvirt, keeper }: LeasedDomain): Promise<Before> {
  const status = keeper.status(true);
  const metadata = await libvirt.readDesiredMetadata(uuid);
  if (!status || !metadata)
    throw new VmcallError('NO_DOMAIN', `there is no domain ${uuid}`, 'See vmcall status');
  const { desired, desired_from, guest, phase } = status;
  return { metadata, desired, desired_from, guest: guest?.health?.wanted ?? null, phase };
}

/** @throws VmcallError NOT_PUT_BACK */
export async function putBack(place: LeasedDomain, before: Before): Promise<void> {
  const { uuid, libvirt, keeper } = place;
  try {
    // A guest without a desired path is sent nothing: so it is asked before its metadata goes.
    const own = before.desired_from === 'metadata' ? null : before.guest;
    if (own !== null && own !== 'vmcall' && keeper.status(true)?.guest?.health?.wanted !== own) {
      await libvirt.setDesired(uuid, own);
      keeper.desire({ desired: { path: own, source: 'metadata' }, problem: null });
      await until(keeper, ({ desired, phase }) => desired === own && phase === 'reached');
    }
    if (!(await libvirt.writeDesiredMetadata(uuid, before.metadata))) throw new Error('the domain is gone');
    keeper.desire(desiredIn(before.metadata.live ?? before.metadata.config ?? null));
    await until(
      keeper,
      ({ desired, phase }) => desired === before.desired && (phase === 'reached' || phase === before.phase),
    );
  } catch (error) {
    throw new VmcallError(
      'NOT_PUT_BACK',
      `${uuid} is not back on ${before.desired} (${before.desired_from}${before.guest ? `, its guest on ${before.guest}` : ''}): ${(error as Error).message.slice(0, 1000)}`,
      before.desired_from === 'metadata'
        ? `Restore it with vmcall enable --path ${before.desired} ${uuid}`
        : `Restore it with vmcall forget ${uuid}`,
    );
  }
}

async function until(
  keeper: LeasedDomain['keeper'],
  holds: (status: DomainStatus) => boolean,
): Promise<void> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const status = keeper.status(true);
    if (!status) throw new Error('the domain is gone');
    if (holds(status)) return;
    if (performance.now() > end || status.phase === 'blocked') {
      const { code = 'NOT_REACHED', message = 'it takes longer than it should' } = status.reason ?? {};
      throw new Error(`${code}: ${message}`);
    }
    await delay(50);
  }
}
