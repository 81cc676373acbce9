// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { VmcallError } from '../../src/support/errors.js';

/** How the host is known: by a certificate authority, or by the very certificate, which may be one of two. */
export type HostTrust = { ca: string } | { fingerprint: string | readonly string[] };

export interface Dialled {
  url: URL;
  trust: HostTrust;
  /** The interface that a link-local address is of. */
  zone?: string | undefined;
  /** Our own address. */
  from?: string | undefined;
}

const cure =
  "Compare it with the host agent's own, and take the guest's configuration from vmcall enroll again";

/**
 * A TLS connection to the host, its certificate checked before anything is sent over it.
 * @throws VmcallError HOST_CERTIFICATE: it is another host; HOST_UNREACHABLE
 */
export function dial(
  { url, trust, zone, from }: Dialled,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const socket = connect({
    host: zone === undefined ? host : `${host}%${zone}`,
    port: Number(url.port || 443),
    minVersion: 'TLSv1.3',
    ...(from === undefined ? {} : { localAddress: from }),
    ...(isIP(host) ? {} : { servername: host }),
    ...verification(trust),
  });
  return new Promise((resolve, reject) => {
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    const fail = (error: VmcallError) => {
      settle();
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const unreachable = (why: string) =>
      new VmcallError(
        'HOST_UNREACHABLE',
        `${url.host}: ${why}`,
        'Does the host agent run, and does the network let this guest reach it?',
      );
    const timer = setTimeout(() => fail(unreachable(`no TLS connection within ${timeoutMs} ms`)), timeoutMs);
    const onAbort = () => fail(unreachable('the guest agent is stopping'));
    signal.addEventListener('abort', onAbort);
    const onError = (error: NodeJS.ErrnoException) =>
      fail(
        isCertificateError(error)
          ? new VmcallError('HOST_CERTIFICATE', `${url.host}: ${error.message}`, cure)
          : unreachable(error.message),
      );
    socket.once('error', onError);
    socket.once('secureConnect', () => {
      const problem = 'fingerprint' in trust ? wrongFingerprint(socket, trust.fingerprint) : undefined;
      if (problem) return fail(new VmcallError('HOST_CERTIFICATE', `${url.host}: ${problem}`, cure));
      settle();
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

/** A pinned certificate is compared whole, so that neither issuer, name nor date say anything more. */
function verification(trust: HostTrust): ConnectionOptions {
  return 'ca' in trust ? { ca: trust.ca } : { rejectUnauthorized: false };
}

function wrongFingerprint(socket: TLSSocket, wanted: string | readonly string[]): string | undefined {
  const shown = socket.getPeerX509Certificate()?.fingerprint256;
  const pins = [wanted].flat();
  return shown !== undefined && pins.includes(shown)
    ? undefined
    : `its certificate has the fingerprint ${shown}, wanted ${pins.join(' or ')}`;
}

/** OpenSSL's verification errors and Node.js's own, as tls.TLSSocket reports them. */
function isCertificateError({ code = '' }: NodeJS.ErrnoException): boolean {
  return /CERT|SIGNATURE|ISSUER|ERR_TLS_/.test(code);
}
