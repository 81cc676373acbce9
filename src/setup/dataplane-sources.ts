// SPDX-License-Identifier: Apache-2.0
import { here } from './build.js';

/** Where the dataplane's Makefile is. */
export const dataplaneFolder = here('guest-agent', 'dataplane');

/** Where that of the library is. */
export const libraryFolder = here('guest-agent', 'library');

/** All that goes into the dataplane: its own files, the library's, and the interfaces below them. */
export const dataplaneSources: readonly string[] = [
  dataplaneFolder,
  libraryFolder,
  here('guest-agent', 'driver', 'uapi'),
  here('kernel-patches', 'abi'),
];
