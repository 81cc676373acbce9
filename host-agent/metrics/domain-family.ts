// SPDX-License-Identifier: Apache-2.0
import type { ObservedDomain } from '../live/observed-domain.js';
import type { Family } from './text-format.js';

/** What is told of each domain under one name. prom-client keeps each series it was ever told, and takes ten times as long. */
export interface DomainFamily extends Family {
  /** The domain's series, each a line; nothing if there is nothing to tell. */
  text(observed: ObservedDomain): string;
}
