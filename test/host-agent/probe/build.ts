// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { execa } from 'execa';
import { cached } from '../../../src/support/cache.js';
import { projectRoot } from '../../../src/support/paths.js';

const source = join(projectRoot, 'host-agent', 'probe');
const histogram = ['hdr', 'base64'].flatMap((name) =>
  ['c', 'h'].map((kind) => join(projectRoot, 'guest-agent', 'library', 'measure', `${name}.${kind}`)),
);

/** The probe, built as for a host. */
export async function buildProbe(): Promise<string> {
  const folder = await cached('probe-test', { files: [source, ...histogram], values: [] }, async (target) => {
    await execa('make', ['-s', '-C', source, `O=${target}`]);
  });
  return join(folder, 'vmcall-probe');
}
