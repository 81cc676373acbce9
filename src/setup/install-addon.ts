// SPDX-License-Identifier: Apache-2.0
// The last part of `npm run build`: libvirt's addon, for what this clone runs on a host.
import { describeError, exitCodes, VmcallError } from '../support/errors.js';
import { stderrProgress } from '../support/progress.js';
import { installAddon } from './addon.js';

try {
  await installAddon(stderrProgress());
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exit(error instanceof VmcallError ? error.exitCode : exitCodes.failed);
}
