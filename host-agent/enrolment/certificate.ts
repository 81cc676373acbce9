// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Stats } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { execa } from 'execa';
import { createFile } from '../../src/support/atomic-file.js';
import { exitCodes, VmcallError } from '../../src/support/errors.js';

/** What the host agent shows its guests. */
export interface HostCertificate {
  /** Private key and certificate, PEM. */
  pem: string;
  /** SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` prints it: AB:CD:... */
  fingerprint: string;
  /** When it expires, Unix time, s. */
  expires: number;
}

const days = 3650;
/** More than any chain of certificates. */
const bytesMost = 256 * 1024;

/**
 * The host's key and certificate, made at the first call: self-signed, P-256, ten years, pinned by the guests. Both
 * in one file, so that there is never one without the other, and the first of two processes wins.
 * @throws VmcallError CERTIFICATE_FAILED, CERTIFICATE_INVALID, CERTIFICATE_OPEN
 */
export async function hostCertificate(stateFolder: string): Promise<HostCertificate> {
  const file = join(stateFolder, 'certificate.pem');
  const pem = (await readIfThere(file)) ?? (await make(stateFolder, file));
  return checked(file, pem);
}

/**
 * As hostCertificate(), and none is made: the one that guests know may be served still.
 * @throws VmcallError CERTIFICATE_FAILED, CERTIFICATE_INVALID, CERTIFICATE_OPEN
 */
export async function renewedCertificate(stateFolder: string): Promise<HostCertificate> {
  const file = join(stateFolder, 'certificate.pem');
  const pem = await readIfThere(file);
  if (pem !== undefined) return checked(file, pem);
  throw invalid(file, 'it is empty, or not there');
}

/** As TLS takes it: the key of this very certificate, and neither too weak. */
function checked(file: string, pem: string): HostCertificate {
  try {
    const certificate = new X509Certificate(pem);
    const { fingerprint256, validTo } = certificate;
    // OpenSSL keeps keys of each type apart, and misses the mismatch of an RSA certificate with another's EC key.
    if (!certificate.checkPrivateKey(createPrivateKey(pem)))
      throw new Error('the key is not that of the certificate: mismatch');
    createSecureContext({ key: pem, cert: pem, minVersion: 'TLSv1.3' });
    return { pem, fingerprint: fingerprint256, expires: Date.parse(validTo) / 1000 };
  } catch (error) {
    // OpenSSL's own words stand behind its numbers.
    throw invalid(file, (error as Error).message.replace(/^error:[0-9A-F]+:.*::/, ''), error);
  }
}

function invalid(file: string, why: string, cause?: unknown): VmcallError {
  return new VmcallError(
    'CERTIFICATE_INVALID',
    `${file} holds no private key and certificate to be served: ${why}`,
    'Put the host key, without a passphrase, and its certificate there in PEM form, or remove the file and enrol every guest again',
    exitCodes.configuration,
    { cause },
  );
}

/** A private key that others can read is nobody's any more. */
function checkClosed(file: string, { mode, uid }: Stats): void {
  const isOurs = uid === 0 || uid === process.geteuid?.();
  if (isOurs && (mode & 0o077) === 0) return;
  const how = isOurs ? `mode ${(mode & 0o777).toString(8)}` : `the owner ${uid}`;
  throw new VmcallError(
    'CERTIFICATE_OPEN',
    `${file} holds the host's private key and has ${how}`,
    `chown root: ${file} && chmod 600 ${file}; if others may have read it, remove it instead and enrol every guest again`,
    exitCodes.configuration,
  );
}

/** Undefined if there is none, or an empty file. */
async function readIfThere(file: string): Promise<string | undefined> {
  try {
    const found = await stat(file);
    if (!found.isFile()) throw invalid(file, 'it is no regular file');
    if (found.size > bytesMost) throw invalid(file, `${found.size} bytes, more than ${bytesMost}`);
    // What a full disk left; there is no key in it that any guest could know.
    if (found.size === 0) return undefined;
    checkClosed(file, found);
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof VmcallError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw failed(file, error);
  }
}

/** What a full disk left in its place; another process may have made it meanwhile. */
async function rmEmpty(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found?.size === 0) await rm(file, { force: true });
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
      await rmEmpty(file);
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
