// SPDX-License-Identifier: Apache-2.0
import type { DomainStatus } from '../../src/control/schema.js';
import type { GuestFigures } from './figures.js';

/** A domain as it was last checked: nobody is asked anything for it. */
export interface Recalled {
  status: DomainStatus;
  /** That look, ms of `performance.now()`. */
  lookedAt: number;
}

/** What the host agent remembers. */
export interface Memory {
  readonly libvirt: { connected: boolean };
  /** Where it cannot listen, and why. */
  readonly unheard: readonly { what: string; problem: string | undefined }[];
  /** When the certificate that is served expires, Unix time, s; undefined while none is. */
  readonly certificateExpires: number | undefined;
  recall(): Recalled[];
  /** Is there such a domain? */
  knows(uuid: string): boolean;
}

/** All that observers are shown of one domain. */
export interface ObservedDomain extends Recalled {
  figures: GuestFigures | undefined;
}
