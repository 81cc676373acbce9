// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import type { DesiredPath } from '../../src/protocol/fields.js';
import { exitCodes, VmcallError } from '../../src/support/errors.js';
import { LibvirtError } from '../native/error.js';
import type { Libvirt } from './libvirt.js';

/** How long libvirt may take for one domain's metadata, ms. */
const timeoutMs = 10_000;

/**
 * Writes the desired path into a domain's metadata; null removes it.
 * @returns false if there is no such domain
 * @throws VmcallError LIBVIRT_FAILED, LIBVIRT_SILENT
 */
export async function writeDesired(
  libvirt: Libvirt,
  uuid: string,
  path: DesiredPath | null,
): Promise<boolean> {
  try {
    const written = libvirt.setDesired(uuid, path);
    written.catch(() => {});
    return await Promise.race([written, timeout(libvirt.uri)]);
  } catch (error) {
    if (!(error instanceof LibvirtError)) throw error;
    throw new VmcallError(
      'LIBVIRT_FAILED',
      `libvirt did not take the metadata of ${uuid}: ${error.message.slice(0, 2000)}`,
      "Does the host agent's connection have the right to change domains? See libvirt.uri of its configuration",
      exitCodes.failed,
      { cause: error },
    );
  }
}

/** Rejects. The call itself cannot be cancelled: libvirt may still write when it goes on. */
async function timeout(uri: string): Promise<never> {
  await delay(timeoutMs, undefined, { ref: false });
  throw new VmcallError(
    'LIBVIRT_SILENT',
    `libvirt at ${uri} has not answered for ${timeoutMs / 1000} s`,
    'Does libvirtd hang? systemctl status libvirtd; see vmcall status once it answers',
  );
}
