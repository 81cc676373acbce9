// SPDX-License-Identifier: Apache-2.0
import { exitCodes, VmcallError } from '../support/errors.js';
import { type ArchivePackage, offeredKernels } from './kernel-choice.js';
import type { SupportedDistribution } from './supported.js';

/** So many versions, the newest, are listed with what they lack. */
const versionsTold = 3;

/**
 * Why a kernel cannot be had from this archive, and what to do instead.
 * @param known the series that this project has patches for
 * @param distribution its name, e.g. `Debian 13`
 */
export function kernelRefusal(
  series: string,
  archive: readonly ArchivePackage[],
  known: readonly string[],
  distribution: string,
): VmcallError {
  const offer = offeredKernels(series, archive);
  const other = known.find((each) => each !== series && offeredKernels(each, archive).complete.length > 0);
  const instead = other === undefined ? '' : `, or take another kernel: npm start -- --kernel ${other}`;
  if (offer.series.length === 0)
    return refusal(
      'SETUP_KERNEL_ABSENT',
      'apt knows no package linux-source-* at all',
      "Give apt the release's own archive and its security archive (man sources.list), then run: apt-get update",
    );
  if (!offer.series.includes(series))
    return refusal(
      'SETUP_KERNEL_ABSENT',
      `${distribution} has no kernel ${series}: apt knows no linux-source-${series}, but of ${offer.series.join(', ')}`,
      `Use a release that has it${instead}`,
    );
  const lacks = offer.incomplete
    .slice(0, versionsTold)
    .map(({ version, missing }) => `${version} lacks ${missing.join(' and ')}`);
  return refusal(
    'SETUP_KERNEL_INCOMPLETE',
    `no version of Debian's RT kernel ${series} has all its parts in the archive: ${lacks.join('; ')}`,
    `Debian publishes the parts one after the other: try again in some hours${instead}. If it stays so, apt lacks a part of the archive: apt-cache policy linux-source-${series}`,
  );
}

/**
 * Why a kernel of a release's backports cannot be had on another release, and what to do instead; nothing of one that
 * can. The tools beside a kernel's headers, and the compiler they want, are of the kernel's own release.
 * @param here this machine's release, if it is supported
 * @param text its name
 */
export function refusedElsewhere(
  series: string,
  here: SupportedDistribution | undefined,
  distributions: readonly SupportedDistribution[],
  text: string,
): VmcallError | undefined {
  const release = distributions.find(({ backportedKernels }) => backportedKernels.includes(series));
  if (!release || release === here) return undefined;
  return refusal(
    'SETUP_KERNEL_ELSEWHERE',
    `kernel ${series} is of Debian ${release.version}'s backports, and modules for it cannot be built on ${text}`,
    `Run it in a root folder of that release: npm run debian -- ${release.version} npm start -- --kernel ${series}`,
  );
}

const refusal = (code: string, message: string, cure: string) =>
  new VmcallError(code, message, cure, exitCodes.unsupported);
