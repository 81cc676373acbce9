// SPDX-License-Identifier: Apache-2.0
import { describe } from 'vitest';
import { packagesBuilt } from '../../packaging/build/packages.js';
import { supportedHere } from '../../src/setup/supported.js';
import { deployTests } from './deploy-tests.js';

const here = supportedHere();
/** They take minutes to build: `npm run packages` does, once for these sources; then the document is followed in half one. */
const isBuilt = here !== undefined && (await packagesBuilt(here));
const why = isBuilt ? '' : ' (skipped: npm run packages has not built these sources)';

describe.skipIf(!isBuilt)(`docs/deploy.md on this machine's release${why}`, () => {
  if (here !== undefined) deployTests(here);
});
