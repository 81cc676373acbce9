// SPDX-License-Identifier: Apache-2.0
import { chmod, copyFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cached } from '../support/cache.js';
import { exitCodes, VmcallError } from '../support/errors.js';
import type { Progress } from '../support/progress.js';
import { downloadPackages } from './archive.js';
import { thisDistribution } from './distribution.js';
import { supportedHere } from './supported.js';

/**
 * Prometheus' own checker, out of Debian's package: unpacked under the cache, for the package would start a server.
 * @throws VmcallError SETUP_DOWNLOAD_FAILED
 */
export async function promtool(progress: Progress): Promise<string> {
  const name = supportedHere()?.promtool ?? 'prometheus';
  const folder = await cached(
    'promtool',
    { files: [], values: [thisDistribution().codename, name] },
    async (target) => {
      progress.step(`downloading Debian's ${name}, for promtool (some 20 MB)`);
      // Readable by apt's own download user.
      await chmod(target, 0o755);
      const failure = await downloadPackages(target, [name]);
      if (failure !== undefined)
        throw new VmcallError(
          'SETUP_DOWNLOAD_FAILED',
          `apt-get could not download ${name}: ${failure}`,
          'Check the network and run: apt-get update',
          exitCodes.unsupported,
        );
      const [file = ''] = (await readdir(target)).filter((name) => name.endsWith('.deb'));
      await execa('dpkg', ['-x', file, 'root'], { cwd: target });
      await copyFile(join(target, 'root', 'usr', 'bin', 'promtool'), join(target, 'promtool'));
      await rm(join(target, 'root'), { recursive: true });
      await rm(join(target, file));
    },
  );
  return join(folder, 'promtool');
}
