// SPDX-License-Identifier: Apache-2.0
import { type DomainStatus, domainStatusSchema } from '../../src/control/schema.js';

/**
 * What is reported of a domain, which others wrote parts of: what does not fit is reported as such, and keeps nobody from the
 * others' state.
 */
export function tellable(status: DomainStatus): DomainStatus {
  const parsed = domainStatusSchema.safeParse(status);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0] ?? { path: [], message: '' };
  return {
    ...status,
    name: status.name.slice(0, 4096),
    problem: null,
    phase: 'blocked',
    reason: {
      code: 'UNTELLABLE',
      message: `what it says of itself does not fit: ${path.join('.')}: ${message}`.slice(0, 500),
    },
    guest: null,
  };
}
