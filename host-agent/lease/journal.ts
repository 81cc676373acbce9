// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { domainSchema } from '../../src/protocol/fields.js';
import { replaceFile } from '../../src/support/atomic-file.js';
import { type Before, beforeSchema } from './before.js';

const recordSchema = z.strictObject({
  format: z.literal('vmcall-lease'),
  version: z.literal(1),
  domain: domainSchema,
  before: beforeSchema,
});

/** How leased domains stood, a file each, so that the end of this agent leaves none as a measurement had it. */
export class LeaseJournal {
  readonly #folder: string;

  constructor(stateFolder: string) {
    this.#folder = join(stateFolder, 'leases');
  }

  async write(domain: string, before: Before): Promise<void> {
    const record = recordSchema.parse({ format: 'vmcall-lease', version: 1, domain, before });
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await replaceFile(this.#file(domain), `${JSON.stringify(record, null, 2)}\n`, 0o600);
  }

  async remove(domain: string): Promise<void> {
    await rm(this.#file(domain), { force: true });
  }

  /** What cannot be read is left out: the file stays for people. */
  async read(): Promise<Map<string, Before>> {
    const found = new Map<string, Before>();
    for (const name of await readdir(this.#folder).catch(() => [])) {
      if (!name.endsWith('.json')) continue;
      try {
        const { domain, before } = recordSchema.parse(
          JSON.parse(await readFile(join(this.#folder, name), 'utf8')),
        );
        found.set(domain, before);
      } catch {}
    }
    return found;
  }

  #file(domain: string): string {
    return join(this.#folder, `${domainSchema.parse(domain)}.json`);
  }
}
