// SPDX-License-Identifier: Apache-2.0
import { compareVersions } from './debian-version.js';

/** One version of a binary package in Debian's archive, as `apt-cache show` has it. */
export interface ArchivePackage {
  name: string;
  version: string;
  depends: string;
}

/** All that a kernel is booted from, and that its modules are built from. */
export interface KernelChoice {
  version: string;
  /** `uname -r` of the kernel. */
  release: string;
  /** Packages as apt takes them: `name=version`. */
  packages: string[];
}

/** A version that `linux-source` has, and others lack. */
export interface IncompleteKernel {
  version: string;
  /** Package names; of an image that there may be signed or unsigned, both: `a or b`. */
  missing: string[];
}

export interface KernelOffer {
  /** Newest first. */
  complete: KernelChoice[];
  /** Newest first. */
  incomplete: IncompleteKernel[];
  /** The series that there is a `linux-source` package of, e.g. `6.12`. */
  series: string[];
}

/** Reads paragraphs of `apt-cache show`. */
export function parsePackages(text: string): ArchivePackage[] {
  return text.split(/\n\n+/).flatMap((paragraph) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1]?.trim() ?? '';
    const [name, version, depends] = [field('Package'), field('Version'), field('Depends')];
    return name && version ? [{ name, version, depends }] : [];
  });
}

/** If a package is one that kernels, or what is built for them, are made of; debug symbols are not. */
export function isKernelPackage(name: string): boolean {
  return /^linux-(?:source|headers|kbuild|image|binary|modules)-/.test(name) && !/-dbg$|-cloud-/.test(name);
}

/**
 * Which versions of a series (`6.12`) the archive has all parts of: source, RT headers, common headers, kbuild and an
 * image. They come and go one by one: the signed image follows hours or days after its source, old versions are
 * dropped, and between two versions of the security archive a point release may bring another.
 */
export function offeredKernels(series: string, archive: readonly ArchivePackage[]): KernelOffer {
  const newestFirst = [...archive].sort((a, b) => compareVersions(b.version, a.version));
  const offer: KernelOffer = { complete: [], incomplete: [], series: [] };
  for (const { name, version } of newestFirst) {
    const other = /^linux-source-(\d+\.\d+)$/.exec(name)?.[1];
    if (other && !offer.series.includes(other)) offer.series.push(other);
    if (other !== series) continue;
    const { release, parts } = partsOf(series, version, newestFirst);
    const missing = parts.flatMap(({ packages, wanted }) => (packages ? [] : wanted));
    if (missing.length > 0) offer.incomplete.push({ version, missing });
    else offer.complete.push({ version, release, packages: parts.flatMap(({ packages = [] }) => packages) });
  }
  return offer;
}

/** A part of a kernel: what it is called, and the packages that are it, if they are there. */
interface Part {
  wanted: string;
  packages: string[] | undefined;
}

function partsOf(
  series: string,
  version: string,
  archive: readonly ArchivePackage[],
): { release: string; parts: Part[] } {
  const there = new Set(archive.map((each) => `${each.name}=${each.version}`));
  /** The first of several that is there; one may be of several packages. */
  const anyOf = (...alternatives: string[][]): Part => ({
    wanted: alternatives
      .map((names) => names.filter((name) => !there.has(`${name}=${version}`)).join(' and '))
      .join(' or '),
    packages: alternatives
      .map((names) => names.map((name) => `${name}=${version}`))
      .find((names) => names.every((name) => there.has(name))),
  });
  const source = anyOf([`linux-source-${series}`]);
  const headers = rtHeaders(series, version, archive);
  if (!headers) return { release: '', parts: [source, anyOf([`linux-headers-${series}.*-rt-amd64`])] };

  const release = headers.name.replace('linux-headers-', '');
  const [common = `the common headers of ${release}`] =
    /\blinux-headers-[^\s,]+-common(?:-rt)?(?=[\s,]|$)/.exec(headers.depends) ?? [];
  const [kbuild = `the kbuild of ${release}`] = /\blinux-kbuild-[^\s,]+/.exec(headers.depends) ?? [];
  return {
    release,
    parts: [
      ...[source, anyOf([headers.name]), anyOf([common])],
      thisOrNewer(kbuild, version, archive),
      anyOf(...images(release, archive)),
    ],
  };
}

/**
 * The RT headers of a version. Their name need not hold it: for 6.1.192-2 it is `linux-headers-6.1.0-56-rt-amd64`, for
 * 6.12.117-1~deb12u1 `linux-headers-6.12.117+deb12-rt-amd64`.
 */
function rtHeaders(
  series: string,
  version: string,
  archive: readonly ArchivePackage[],
): ArchivePackage | undefined {
  return archive.find(
    (each) =>
      each.version === version &&
      each.name.startsWith(`linux-headers-${series}.`) &&
      each.name.endsWith('-rt-amd64'),
  );
}

/** Kbuild of 6.1 has one name for all versions, and serves older headers too: they ask for theirs or a newer one. */
function thisOrNewer(name: string, version: string, archive: readonly ArchivePackage[]): Part {
  const found = archive
    .filter((each) => each.name === name && compareVersions(each.version, version) >= 0)
    .at(-1);
  return { wanted: name, packages: found && [`${name}=${found.version}`] };
}

/** The kernel and its modules, signed or else not. From 7.2 on they are packages of their own, and `image` is empty. */
function images(release: string, archive: readonly ArchivePackage[]): string[][] {
  const modules = `linux-modules-${release}`;
  return archive.some(({ name }) => name === modules)
    ? [
        [`linux-binary-${release}`, modules],
        [`linux-binary-unsigned-${release}`, modules],
      ]
    : [[`linux-image-${release}`], [`linux-image-${release}-unsigned`]];
}
