// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { parseSources, sourcesOfRelease } from '../../src/setup/archive-sources.js';

const told = `http://archive.example/debian/ bookworm bookworm main
http://archive.example/debian/ bookworm-updates bookworm-updates main
http://archive.example/security/ bookworm-security bookworm-security main
http://archive.example/debian/ bookworm bookworm contrib
https://elsewhere.example/node nodistro $(CODENAME) main
https://elsewhere.example/tool tool-bookworm tool-bookworm main
`;

test("another release's archives are those of this machine's mirrors, with backports and without others", () => {
  expect(sourcesOfRelease(parseSources(told), 'bookworm', 'trixie')).toEqual([
    'deb http://archive.example/debian/ trixie main',
    'deb http://archive.example/debian/ trixie-updates main',
    'deb http://archive.example/security/ trixie-security main',
    'deb http://archive.example/debian/ trixie contrib',
    'deb http://archive.example/debian/ trixie-backports main',
    'deb http://archive.example/debian/ trixie-backports contrib',
  ]);
});

test('an archive named by stable is known by its codename', () => {
  const sources = parseSources('http://archive.example/debian/ oldstable bookworm main\n');
  expect(sourcesOfRelease(sources, 'bookworm', 'trixie')).toContain(
    'deb http://archive.example/debian/ trixie main',
  );
});

test('where this release has no archive of its own, none is guessed', () => {
  expect(sourcesOfRelease(parseSources(told), 'trixie', 'bookworm')).toEqual([]);
});
