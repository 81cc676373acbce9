// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { cached } from '../support/cache.js';
import { exitCodes, VmcallError } from '../support/errors.js';
import { libvirtAddon } from '../support/paths.js';
import type { Progress } from '../support/progress.js';
import { timed } from '../support/timed-step.js';
import { here, makeIn } from './build.js';

const headerPackages = ['node-addon-api', 'node-api-headers'];

/**
 * The path of the libvirt addon, built against the system's libvirt if no run has built it before. `sanitize`:
 * with AddressSanitizer and UndefinedBehaviorSanitizer, for tests; such an addon needs libasan preloaded.
 */
export async function buildAddon(progress: Progress, { sanitize = false } = {}): Promise<string> {
  const source = here('host-agent', 'native');
  const files = (await readdir(source)).filter((file) => /^Makefile$|\.(cc|h)$/.test(file)).sort();
  const name = sanitize ? 'libvirt-addon-sanitized' : 'libvirt-addon';
  const ingredients = {
    files: [
      ...files.map((file) => join(source, file)),
      ...headerPackages.map((library) => here('node_modules', library, 'package.json')),
    ],
    values: [await libvirtVersion(), ...files],
  };
  const folder = await cached(name, ingredients, async (target) => {
    const text = `building the libvirt addon${sanitize ? ' with sanitizers' : ''}`;
    await timed(progress, { key: name, text, usual: 60 }, () =>
      makeIn(source, target, sanitize ? ['SANITIZE=1'] : []),
    );
  });
  return join(folder, 'libvirt.node');
}

/** Builds the addon and puts it where this clone's programs look for it. */
export async function installAddon(progress: Progress): Promise<void> {
  const built = await buildAddon(progress);
  const aside = `${libvirtAddon}.${process.pid}`;
  await mkdir(dirname(libvirtAddon), { recursive: true });
  try {
    await symlink(built, aside);
    await rename(aside, libvirtAddon);
  } finally {
    await rm(aside, { force: true });
  }
}

async function libvirtVersion(): Promise<string> {
  try {
    const { stdout } = await execa('pkg-config', ['--modversion', 'libvirt']);
    return stdout;
  } catch (cause) {
    throw new VmcallError(
      'SETUP_LIBVIRT_ABSENT',
      'the libvirt addon cannot be built: pkg-config finds no libvirt',
      'Install it: apt-get install --no-install-recommends build-essential pkg-config libvirt-dev',
      exitCodes.unsupported,
      { cause },
    );
  }
}
