// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { domainSchema } from '../../src/protocol/fields.js';
import { replaceFile } from '../../src/support/atomic-file.js';
import { exitCodes, VmcallError } from '../../src/support/errors.js';
import { hashSecret, issueSecret } from './secret.js';

const hashSchema = z.string().regex(/^[0-9a-f]{64}$/);

const enrolmentSchema = z.strictObject({
  format: z.literal('vmcall-enrolment'),
  version: z.literal(1),
  domain: domainSchema,
  secret_sha256: hashSchema,
  issued: z.iso.datetime(),
  /** The previous secret, which is valid until then. */
  previous: z.strictObject({ secret_sha256: hashSchema, until: z.iso.datetime() }).optional(),
});

/** Of a domain that is enrolled, without anything of its secret. */
export interface Enrolment {
  domain: string;
  /** ISO 8601. */
  issued: string;
  /** Until then the previous secret is valid, too; null: there is none. */
  previousUntil: string | null;
}

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
   * A new secret for a domain; the previous one is invalid from now on.
   * @param overlapS for so many seconds the previous one is valid, too
   * @throws VmcallError ENROLMENT_DOMAIN, ENROLMENT_STORE
   */
  async issue(domain: string, overlapS = 0): Promise<string> {
    const file = this.#file(domain);
    const secret = issueSecret();
    const before = overlapS > 0 ? await this.#read(domain) : undefined;
    const until = new Date(Date.now() + overlapS * 1000).toISOString();
    const record = enrolmentSchema.parse({
      format: 'vmcall-enrolment',
      version: 1,
      domain,
      secret_sha256: hashSecret(secret).toString('hex'),
      issued: new Date().toISOString(),
      ...(before && { previous: { secret_sha256: before.secret_sha256, until } }),
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

  /** The hashes of the secrets that are valid for the domain now: none, one, or two. @throws VmcallError ENROLMENT_INVALID */
  async hashesOf(domain: string): Promise<Buffer[]> {
    const record = await this.#read(domain);
    if (!record) return [];
    const { previous } = record;
    const holds = previous !== undefined && Date.parse(previous.until) > Date.now();
    return [record.secret_sha256, ...(holds ? [previous.secret_sha256] : [])].map((hash) =>
      Buffer.from(hash, 'hex'),
    );
  }

  /** All, by domain. Those that cannot be used are left out. */
  async list(): Promise<Enrolment[]> {
    const names = (await readdir(this.#folder).catch(() => []))
      .filter((name) => name.endsWith('.json'))
      .sort();
    const all = await Promise.all(names.map((name) => this.#read(name.slice(0, -5)).catch(() => undefined)));
    return all
      .flatMap((record) => record ?? [])
      .map(({ domain, issued, previous }) => ({ domain, issued, previousUntil: previous?.until ?? null }));
  }

  async #read(domain: string): Promise<z.infer<typeof enrolmentSchema> | undefined> {
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
      return record;
    } catch (error) {
      throw this.#invalid(file, error);
    }
  }

  /** By the folder's time: each enrolment comes, is replaced and goes as a file. Undefined if there is no folder. */
  async changedAt(): Promise<number | undefined> {
    return (await stat(this.#folder).catch(() => undefined))?.mtimeMs;
  }

  /** The domain's guest can no longer connect. @returns false if it was not enrolled */
  async revoke(domain: string): Promise<boolean> {
    const file = this.#file(domain);
    const was = await stat(file).then(
      () => true,
      () => false,
    );
    await rm(file, { force: true });
    return was;
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
