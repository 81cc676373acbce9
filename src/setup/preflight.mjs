// SPDX-License-Identifier: Apache-2.0
// Plain JavaScript with no dependency: it runs before anything is installed or built.
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';

const GiB = 2 ** 30;

/** Disk needed under the cache folder for the unpacked kernel, its source, modules and images, bytes. */
const spaceNeeded = 4 * GiB;
/** The lab's host takes 6 GiB, the builds less. */
const memoryNeeded = 8 * GiB;

/** @type {{ distributions: { id: string, version: string, codename: string }[], node: string }} */
const supported = JSON.parse(readFileSync(join(import.meta.dirname, 'supported.json'), 'utf8'));

/**
 * @typedef {{ code: string, problem: string, cure: string }} Missing
 */

/**
 * Everything this machine lacks for the set-up and the lab, found in well under a second.
 * @param {{ cacheRoot: string }} places
 * @returns {Promise<Missing[]>}
 */
export async function preflight({ cacheRoot }) {
  /** @type {Missing[]} */
  const missing = [];
  if (isOlder(process.versions.node, supported.node))
    missing.push({
      code: 'SETUP_NODE_TOO_OLD',
      problem: `Node.js ${process.versions.node} is older than ${supported.node}`,
      cure: `Install Node.js ${supported.node} or newer`,
    });
  if (process.arch !== 'x64' || process.platform !== 'linux')
    missing.push({
      code: 'SETUP_PLATFORM_UNSUPPORTED',
      problem: `this is ${process.platform} on ${process.arch}; the lab emulates an x86-64 host and builds for it`,
      cure: 'Use an x86-64 Linux machine',
    });
  if (process.getuid?.() !== 0)
    missing.push({
      code: 'SETUP_NOT_ROOT',
      problem: `user id ${process.getuid?.()} may not install Debian packages`,
      cure: 'Run the same command as root (sudo npm start)',
    });
  checkDistribution(missing);
  if (totalmem() < memoryNeeded)
    missing.push({
      code: 'SETUP_MEMORY_SHORT',
      problem: `${(totalmem() / GiB).toFixed(1)} GiB of memory; ${memoryNeeded / GiB} GiB are needed`,
      cure: 'Give the machine more memory',
    });
  await checkSpace(cacheRoot, missing);
  return missing;
}

/** @param {string} version @param {string} least, both of three numbers */
function isOlder(version, least) {
  const [have, want] = [version, least].map((text) => text.split('.').map(Number));
  const differs = want.findIndex((number, index) => number !== have[index]);
  return differs >= 0 && have[differs] < want[differs];
}

/** @param {Missing[]} missing */
function checkDistribution(missing) {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const id = /^ID=(.*)$/m.exec(release)?.[1]?.replaceAll('"', '');
  const version = /^VERSION_ID=(.*)$/m.exec(release)?.[1]?.replaceAll('"', '');
  if (supported.distributions.some((each) => each.id === id && each.version === version)) return;
  const known = supported.distributions
    .map((each) => `Debian ${each.version} (${each.codename})`)
    .join(' or ');
  missing.push({
    code: 'SETUP_DISTRIBUTION_UNSUPPORTED',
    problem: `this is ${id ?? 'an unknown distribution'} ${version ?? ''}; the kernel and DPDK packages are those of ${known}`,
    cure: `Use a machine, virtual machine or container with ${known}`,
  });
}

/**
 * @param {string} cacheRoot
 * @param {Missing[]} missing
 */
async function checkSpace(cacheRoot, missing) {
  try {
    await mkdir(cacheRoot, { recursive: true });
    const { bavail, bsize } = await statfs(cacheRoot);
    // Once the kernel is unpacked the large part is there already.
    const needed = existsSync(`${cacheRoot}/kernel`) ? GiB : spaceNeeded;
    if (bavail * bsize < needed)
      missing.push({
        code: 'SETUP_DISK_FULL',
        problem: `${((bavail * bsize) / GiB).toFixed(1)} GiB free at ${cacheRoot}; ${needed / GiB} GiB are needed`,
        cure: 'Free some space, or set XDG_CACHE_HOME to a folder on a larger disk',
      });
  } catch (error) {
    missing.push({
      code: 'SETUP_CACHE_UNWRITABLE',
      problem: `cannot use ${cacheRoot}: ${error instanceof Error ? error.message : error}`,
      cure: 'Set XDG_CACHE_HOME to a writable folder',
    });
  }
}
