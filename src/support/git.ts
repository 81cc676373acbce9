// SPDX-License-Identifier: Apache-2.0
import { projectRoot } from './paths.js';

/**
 * First words of git on this clone: it may be another user's than the one that runs this, as where root works in a
 * user's home, and git would have nothing to do with it (git-config(1): safe.directory).
 */
export const gitWords = ['-C', projectRoot, '-c', `safe.directory=${projectRoot}`];
