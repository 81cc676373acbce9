// SPDX-License-Identifier: Apache-2.0
import type { Progress } from '../support/progress.js';
import { buildAddon, installAddon } from './addon.js';
import { type Artifacts, buildArtifacts } from './artifacts.js';
import { ensureDebianPackages } from './debian-packages.js';
import { defaultKernelSeries, type KernelSeries, kernelPackages } from './kernel-packages.js';
import { promtool } from './promtool.js';

/** All set-up of the lab: Debian packages, the kernel, the builds. Each does nothing if it is there already. */
export async function prepareLab(
  progress: Progress,
  assumeYes: boolean,
  series: KernelSeries = defaultKernelSeries,
): Promise<Artifacts> {
  await ensureDebianPackages(progress, assumeYes);
  await installAddon(progress);
  return buildArtifacts(await kernelPackages(series, progress), progress);
}

/** All set-up of the tests: the lab's, and the libvirt addon, also with sanitizers, and promtool. */
export async function prepareTests(progress: Progress): Promise<void> {
  await prepareLab(progress, true);
  await ensureDebianPackages(progress, true, 'tests');
  await buildAddon(progress, { sanitize: true });
  await promtool(progress);
}
