// SPDX-License-Identifier: Apache-2.0
import type { Progress } from '../support/progress.js';
import { buildAddon, installAddon } from './addon.js';
import {
  type Artifacts,
  buildArtifacts,
  buildNegativeControl,
  buildUnpatched,
  withCosts,
  withSelftests,
} from './artifacts.js';
import { ensureDebianPackages } from './debian-packages.js';
import {
  defaultKernelSeries,
  type KernelSeries,
  kernelPackages,
  kernelSeriesHere,
} from './kernel-packages.js';
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

/**
 * All set-up of the tests: the lab's, with all that its tests build, for they run side by side; and the libvirt addon
 * also with sanitizers, and promtool.
 */
export async function prepareTests(progress: Progress): Promise<void> {
  for (const series of kernelSeriesHere)
    await withSelftests(await prepareLab(progress, true, series), progress);
  const lab = await prepareLab(progress, true);
  await buildNegativeControl(lab, progress);
  await buildUnpatched(await withCosts(lab, progress), progress);
  await ensureDebianPackages(progress, true, 'tests');
  await buildAddon(progress, { sanitize: true });
  await promtool(progress);
}
