// SPDX-License-Identifier: Apache-2.0
import type { ObservedDomain } from '../live/observed-domain.js';
import type { Family } from './text-format.js';

/** The series of each domain under one name. prom-client keeps each series it ever had, and takes ten times as long. */
export interface DomainFamily extends Family {
  /** The domain's series, each a line; nothing if there is none. */
  text(observed: ObservedDomain): string;
}
