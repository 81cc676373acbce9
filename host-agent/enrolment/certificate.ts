// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { createFile } from '../../src/support/atomic-file.js';
import { exitCodes, VmcallError } from '../../src/support/errors.js';

/** What the host agent shows its guests. */
export interface HostCertificate {
  /** Private key and certificate, PEM. */
  pem: string;
  /** SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` prints it: AB:CD:... */
  fingerprint: string;
  /** When it ends, Unix time, s. */
  expires: number;
}

const days = 3650;

/**
 * The host's key and certificate, made at the first call: self-signed, P-256, ten years, pinned by the guests. Both
 * in one file, so that there is never one without the other, and the first of two processes wins.
 * @throws VmcallError CERTIFICATE_FAILED, CERTIFICATE_INVALID, CERTIFICATE_OPEN
 */
export async function hostCertificate(stateFolder: string): Promise<HostCertificate> {
  const file = join(stateFolder, 'certificate.pem');
  const pem = (await readIfThere(file)) ?? (await make(stateFolder, file));
  await checkClosed(file);
  try {
    const { fingerprint256, validTo } = new X509Certificate(pem);
    createPrivateKey(pem);
    return { pem, fingerprint: fingerprint256, expires: Date.parse(validTo) / 1000 };
  } catch (error) {
    throw new VmcallError(
      'CERTIFICATE_INVALID',
      `${file} holds no certificate: ${(error as Error).message}`,
      'Put the host key and certificate there in PEM form, or remove it and enrol every guest again',
      exitCodes.configuration,
      { cause: error },
    );
  }
}

/** A private key that others can read is nobody's any more. */
async function checkClosed(file: string): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o077) === 0) return;
  throw new VmcallError(
    'CERTIFICATE_OPEN',
    `${file} holds the host's private key and has mode ${(mode & 0o777).toString(8)}`,
    `chmod 600 ${file}; if others may have read it, remove it instead and enrol every guest again`,
    exitCodes.configuration,
  );
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    const pem = await readFile(file, 'utf8');
    if (pem !== '') return pem;
    // What a full disk left; there is no key in it that any guest could know.
    await rm(file);
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw failed(file, error);
  }
}

async function make(stateFolder: string, file: string): Promise<string> {
  try {
    await mkdir(stateFolder, { recursive: true, mode: 0o700 });
    const work = await mkdtemp(join(stateFolder, '.certificate-'));
    try {
      const [key, certificate] = [join(work, 'key'), join(work, 'certificate')];
      await execa('openssl', [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-sha256'],
        ...[
          '-days',
          String(days),
          '-subj',
          '/CN=vmcall host agent',
          '-addext',
          'subjectAltName=DNS:vmcall-host',
        ],
        ...['-keyout', key, '-out', certificate],
      ]);
      const pem = (await readFile(key, 'utf8')) + (await readFile(certificate, 'utf8'));
      if (await createFile(file, pem, 0o600)) return pem;
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    return await readFile(file, 'utf8');
  } catch (error) {
    throw failed(file, error);
  }
}

function failed(file: string, cause: unknown): VmcallError {
  return new VmcallError(
    'CERTIFICATE_FAILED',
    `the host's certificate ${file} cannot be read or made: ${(cause as Error).message.slice(0, 300)}`,
    "Run this as root with Debian's openssl installed, or name another folder by --state",
    exitCodes.configuration,
    { cause },
  );
}
