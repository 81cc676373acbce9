// SPDX-License-Identifier: Apache-2.0
import type { Path } from '../../src/protocol/fields.js';
import type { Log } from '../../src/support/log.js';
import type { GuestConfiguration } from '../configuration.js';
import { Attachment } from './attachment.js';
import type { ProgramKeeper } from './program-keeper.js';
import { Supervisor } from './supervisor.js';

/** The program that the configuration names: one that the agent starts, or one that others start. */
export function programKeeper({ dataplane, application }: GuestConfiguration, log: Log): ProgramKeeper {
  if (dataplane) return new Supervisor(dataplane, log);
  if (application) return new Attachment(application, log);
  throw new Error('a configuration without a program passed its schema');
}

/** Until the host says otherwise, or the program is found on another. */
export function firstPath({ dataplane }: GuestConfiguration): Path {
  return dataplane?.path ?? 'poll';
}

export function wantedThreshold({ dataplane, application }: GuestConfiguration): number | undefined {
  return (dataplane ?? application)?.idle_threshold_us;
}

/** What a program has to be started, or found, again for. */
export function withoutThreshold({ dataplane, application }: GuestConfiguration): unknown {
  return [dataplane, application].map((each) => each && { ...each, idle_threshold_us: undefined });
}
