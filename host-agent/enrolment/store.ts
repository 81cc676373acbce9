// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { domainSchema } from '../../src/protocol/fields.js';
import { replaceFile } from '../../src/support/atomic-file.js';
import { exitCodes, VmcallError } from '../../src/support/errors.js';
import { hashSecret, issueSecret } from './secret.js';

const enrolmentSchema = z.strictObject({
  format: z.literal('vmcall-enrolment'),
  version: z.literal(1),
  domain: domainSchema,
  secret_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  issued: z.iso.datetime(),
});

/** Where the host agent keeps what must survive it. */
export const hostStateFolder = '/var/lib/vmcall/host';

/**
 * Who may speak for which domain: a file a domain under `enrolments/`, for root alone, with the hash of its secret.
 * A file each, so that two enrolments at once do not meet, and the running agent sees a change at once.
 */
export class EnrolmentStore {
  readonly #folder: string;

  constructor(stateFolder: string) {
    this.#folder = join(stateFolder, 'enrolments');
  }

  /**
   * A new secret for a domain; the one before is worth nothing from now on.
   * @throws VmcallError ENROLMENT_DOMAIN, ENROLMENT_STORE
   */
  async issue(domain: string): Promise<string> {
    const file = this.#file(domain);
    const secret = issueSecret();
    const record = enrolmentSchema.parse({
      format: 'vmcall-enrolment',
      version: 1,
      domain,
      secret_sha256: hashSecret(secret).toString('hex'),
      issued: new Date().toISOString(),
    });
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await chmod(this.#folder, 0o700);
      await replaceFile(file, `${JSON.stringify(record, null, 2)}\n`, 0o600);
    } catch (error) {
      throw new VmcallError(
        'ENROLMENT_STORE',
        `${file} cannot be written: ${(error as Error).message}`,
        'Run this as root, or name another folder by --state',
        exitCodes.configuration,
        { cause: error },
      );
    }
    return secret;
  }

  /** The hash of the domain's secret; undefined if it has none. @throws VmcallError ENROLMENT_INVALID */
  async hashOf(domain: string): Promise<Buffer | undefined> {
    const file = this.#file(domain);
    let text: string;
    try {
      if ((await stat(file)).size > 4096) throw new Error('too large');
      text = await readFile(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw this.#invalid(file, error);
    }
    try {
      const record = enrolmentSchema.parse(JSON.parse(text));
      if (record.domain !== domain) throw new Error(`it is for the domain ${record.domain}`);
      return Buffer.from(record.secret_sha256, 'hex');
    } catch (error) {
      throw this.#invalid(file, error);
    }
  }

  /** By the folder's time: each enrolment comes, is replaced and goes as a file. Undefined if there is no folder. */
  async changedAt(): Promise<number | undefined> {
    return (await stat(this.#folder).catch(() => undefined))?.mtimeMs;
  }

  /** The domain's guest may connect no more. */
  async revoke(domain: string): Promise<void> {
    await rm(this.#file(domain), { force: true });
  }

  #file(domain: string): string {
    if (!domainSchema.safeParse(domain).success)
      throw new VmcallError(
        'ENROLMENT_DOMAIN',
        `${JSON.stringify(domain.slice(0, 80))} is not a domain's UUID`,
        'Give the UUID as `virsh domuuid DOMAIN` prints it',
        exitCodes.usage,
      );
    return join(this.#folder, `${domain}.json`);
  }

  #invalid(file: string, cause: unknown): VmcallError {
    return new VmcallError(
      'ENROLMENT_INVALID',
      `${file} cannot be used: ${(cause as Error).message.slice(0, 300)}`,
      'Issue a new secret with vmcall enroll',
      exitCodes.configuration,
      { cause },
    );
  }
}
