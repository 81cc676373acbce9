// SPDX-License-Identifier: Apache-2.0
import type { Path } from '../src/protocol/fields.js';
import type { DataplaneInfo } from './program/dataplane.js';

/** Why the wanted path is not upheld; undefined if it is. */
export function whyNotUpheld(
  wanted: Path,
  info: DataplaneInfo,
): { code: string; message: string } | undefined {
  if (info.path !== wanted)
    return (
      info.fallback ?? {
        code: 'OTHER_PATH',
        message: `${info.path} is in force, for no reason the dataplane gives`,
      }
    );
  if (info.lcores?.polling === 0)
    return { code: 'NO_LCORES', message: 'no lcore of the program polls a port that is looked after' };
  if (info.lcores && info.lcores.refused > 0)
    return {
      code: info.fallback?.code ?? 'OTHER_PATH',
      message: `${info.lcores.refused} of ${info.lcores.polling} lcores: ${info.fallback?.message ?? 'another path is in force'}`,
    };
  if (info.doorbell === 'overwritten')
    return {
      code: 'DOORBELL_OVERWRITTEN',
      message: 'the NIC was given another MSI-X entry: no packet wakes the program',
    };
  return undefined;
}

/**
 * What to do without a host. Losing the session alone stops no traffic: a path that is upheld needs nothing from the
 * agents, and the program itself leaves the VM call when the host switches it off. Only a path that is not upheld, with
 * nobody there to say what to do instead, is given up for interrupts, which need nothing from the host agent.
 * @returns the path to switch to
 */
export function pathWithoutHost(
  wanted: Path,
  info: DataplaneInfo,
  lostForMs: number,
  lostAfterMs: number,
): Path | undefined {
  if (lostForMs < lostAfterMs || wanted === 'injected') return undefined;
  return whyNotUpheld(wanted, info) ? 'injected' : undefined;
}
