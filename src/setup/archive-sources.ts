// SPDX-License-Identifier: Apache-2.0

/** An archive that apt fetches from, as `apt-get indextargets` prints it. */
export interface ArchiveSource {
  uri: string;
  /** `bookworm`, `bookworm-security`, … */
  suite: string;
  component: string;
}

/** What `sources` below reads, a line an archive. */
export const indexTargetsFormat = '$(REPO_URI) $(RELEASE) $(CODENAME) $(COMPONENT)';

/** Reads lines of `indexTargetsFormat`; what apt does not know of an archive stays as it stands there. */
export function parseSources(text: string): ArchiveSource[] {
  return text.split('\n').flatMap((line) => {
    const [uri, release, codename, component] = line.split(' ');
    if (!uri || !release || !component) return [];
    return { uri, suite: codename && !codename.startsWith('$') ? codename : release, component };
  });
}

/**
 * The archives of another release, at the same mirrors as this one's: Debian's own, and none that somebody added for
 * this release only. Backports come from where the release itself does; apt takes of them what is asked for by version.
 * @param own codename of this release
 * @param other codename of the release wanted
 * @returns lines of sources.list(5); none where this release has no archive of its own
 */
export function sourcesOfRelease(sources: readonly ArchiveSource[], own: string, other: string): string[] {
  const translated = sources.flatMap(({ uri, suite, component }) => {
    const [, part] = new RegExp(`^${own}(|-security|-updates)$`).exec(suite) ?? [];
    return part === undefined ? [] : { uri, suite: `${other}${part}`, component };
  });
  const release = translated.filter(({ suite }) => suite === other);
  const backports = release.map((source) => ({ ...source, suite: `${other}-backports` }));
  const lines = [...translated, ...backports].map(
    ({ uri, suite, component }) => `deb ${uri} ${suite} ${component}`,
  );
  return release.length === 0 ? [] : [...new Set(lines)];
}
