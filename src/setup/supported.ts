// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { projectRoot } from '../support/paths.js';
import { compareVersions } from './debian-version.js';
import { thisDistribution } from './distribution.js';

const series = z.string().regex(/^\d+\.\d+$/);
const distributionSchema = z.strictObject({
  /** ID, VERSION_ID and VERSION_CODENAME of os-release(5). */
  id: z.string(),
  version: z.string(),
  codename: z.string(),
  /** Its kernels that `kernel-patches/` has a series for; the lab runs the first by default. */
  kernels: z.array(series).min(1),
  /** Those of its backports. The lab runs them if told to, on this release, from apt lists of their own. */
  backportedKernels: z.array(series),
  /** The versions that it has, and that everything was seen to work with. */
  qemu: series,
  libvirt: series,
  dpdk: series,
  /** Where this is older than `node` below, packages bring one along. */
  nodejs: z.string().regex(/^\d+\.\d+\.\d+$/),
  /** The package that holds Prometheus' promtool. */
  promtool: z.string(),
});

const supportedSchema = z.strictObject({
  distributions: z.array(distributionSchema).min(1),
  /** The least version of Node.js. */
  node: z.string().regex(/^\d+\.\d+\.\d+$/),
});

export type SupportedDistribution = z.infer<typeof distributionSchema>;

/** What this project is made for and tested with: the one place that says so, read before anything is installed. */
export const supported = supportedSchema.parse(
  JSON.parse(readFileSync(join(projectRoot, 'src', 'setup', 'supported.json'), 'utf8')),
);

/** Whether the release's own Node.js is too old. */
export const needsNode = ({ nodejs }: SupportedDistribution): boolean =>
  compareVersions(nodejs, supported.node) < 0;

/** What is supported of this machine's release; nothing on another. */
export function supportedHere(): SupportedDistribution | undefined {
  const { id, version } = thisDistribution();
  return supported.distributions.find((each) => each.id === id && each.version === version);
}
