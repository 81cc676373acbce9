// SPDX-License-Identifier: Apache-2.0
import type { Path } from '../src/protocol/fields.js';
import { limits } from '../src/protocol/limits.js';
import type { Health } from '../src/protocol/messages.js';
import { VmcallError } from '../src/support/errors.js';
import { whyNotUpheld } from './path.js';
import type { ProgramKeeper } from './program/program-keeper.js';

/** What the guest reports of itself. @param wanted the path that the program is to be on */
export async function healthOf(program: ProgramKeeper, wanted: Path): Promise<Health> {
  const { state, restarts, dataplane } = program;
  const known = { dataplane: state, wanted, restarts };
  const nothing = { path: null, upheld: false, idle_threshold_us: null, version: null };
  if (state !== 'running') return { ...known, ...nothing, reason: forHealth(program.problem) };
  try {
    const info = await dataplane.info();
    const why = whyNotUpheld(wanted, info);
    return {
      ...known,
      path: info.path,
      upheld: why === undefined,
      reason: forHealth(why),
      idle_threshold_us: info.idleThresholdUs,
      version: forPeople(info.version),
    };
  } catch (error) {
    const { code, message } =
      error instanceof VmcallError ? error : { code: 'INTERNAL', message: String(error) };
    return { ...known, ...nothing, reason: forHealth({ code, message }) };
  }
}

function forHealth(why: { code: string; message: string } | undefined): Health['reason'] {
  return why ? { code: why.code, message: forPeople(why.message) } : null;
}

/** A text as messages take it: one line, cut to their limit. */
export function forPeople(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ').slice(0, limits.textCharacters);
}
