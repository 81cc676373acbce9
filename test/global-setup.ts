// SPDX-License-Identifier: Apache-2.0
import { installAddon } from '../src/setup/addon.js';
import { stderrProgress } from '../src/support/progress.js';

/** Before the first test, whichever it is: libvirt's addon as the sources have it now. */
export const setup = (): Promise<void> => installAddon(stderrProgress());
