// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { makeRoot, type RootContents } from '../../src/setup/debian-root/make.js';
import type { SupportedDistribution } from '../../src/setup/supported.js';
import { cacheRoot } from '../../src/support/paths.js';
import type { Progress } from '../../src/support/progress.js';

/** The root folder of a release with these packages, made if it is not there: its name holds what it has. */
export async function rootWith(
  name: string,
  distribution: SupportedDistribution,
  contents: RootContents,
  progress: Progress,
): Promise<string> {
  const key = createHash('sha256').update(contents.packages.join(' ')).digest('hex').slice(0, 8);
  const root = join(cacheRoot, 'roots', `${distribution.id}-${distribution.version}-${name}-${key}`);
  await makeRoot(root, distribution, progress, contents);
  return root;
}
