// SPDX-License-Identifier: Apache-2.0

/** The WebSocket subprotocol: the envelope and the handshake. */
export const subprotocol = 'vmcall.v1';

/** The resource that a guest asks for in its upgrade. */
export const resource = '/guest';

/** Where a host agent listens by default. */
export const defaultPort = 8645;

/** Versions of the messages that this code speaks, within the subprotocol. */
export const versions: readonly number[] = [1];

/** What this code can do beyond the handshake; each names the messages it stands for in PROTOCOL.md. */
export const capabilities = ['health', 'measurement', 'path', 'pv-kick', 'wake-times'] as const;
export type Capability = (typeof capabilities)[number];

/** The highest version both sides speak, or nothing. */
export function negotiateVersion(
  theirs: readonly number[],
  ours: readonly number[] = versions,
): number | undefined {
  return ours.filter((version) => theirs.includes(version)).sort((a, b) => b - a)[0];
}

/** The capabilities both sides have; those that this code does not know are left out. */
export function commonCapabilities(theirs: readonly string[]): Capability[] {
  return capabilities.filter((capability) => theirs.includes(capability));
}
