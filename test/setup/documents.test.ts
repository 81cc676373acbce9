// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { supported } from '../../src/setup/supported.js';
import { projectRoot } from '../../src/support/paths.js';

const read = (...path: string[]) => readFileSync(join(projectRoot, ...path), 'utf8');

/** Cells of the table rows whose first cell begins so. */
const rows = (text: string, first: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith(`| ${first}`))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

test("README's table of releases is what supported.json has", () => {
  expect(rows(read('README.md'), 'Debian ')).toEqual(
    supported.distributions.map(({ version, codename, kernels, qemu, libvirt, dpdk }) => [
      ...[`Debian ${version} (${codename})`, kernels.join(', '), qemu, libvirt, dpdk],
    ]),
  );
});

test.each(['README.md', 'CONTRIBUTING.md', 'docs/lab.md'])(
  '%s says which releases, and which Node.js is wanted',
  (path) => {
    const text = read(path);
    expect(text).toContain(`Debian ${supported.distributions.map(({ version }) => version).join(' or ')}`);
    expect(text).toContain(`Node.js ${supported.node.replace(/\.0$/, '')}`);
  },
);

test('package.json wants the same Node.js', () => {
  expect(JSON.parse(read('package.json'))).toMatchObject({ engines: { node: `>=${supported.node}` } });
});
