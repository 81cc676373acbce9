// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import { buildAddon } from '../../src/setup/addon.js';
import { stderrProgress } from '../../src/support/progress.js';
import type { ConnectionEvent, DomainIdentity } from './events.js';
import type { Affected, DomainState, SchedulerParameters, Stats, StatsGroup, Vcpu } from './types.js';

/** A domain as the addon hands it out; documented in domain.ts. */
export interface NativeDomain extends DomainIdentity {
  close(): void;
  state(): Promise<DomainState>;
  xml(inactive: boolean): Promise<string>;
  metadata(uri: string, affect: Affected): Promise<string>;
  setMetadata(uri: string, prefix: string, xml: string | null, affect: Affected): Promise<void>;
  attachDevice(xml: string, affect: Affected): Promise<void>;
  detachDevice(xml: string, affect: Affected): Promise<void>;
  stats(groups: readonly StatsGroup[]): Promise<Stats>;
  start(): Promise<void>;
  destroy(): Promise<void>;
  suspend(): Promise<void>;
  resume(): Promise<void>;
  undefine(): Promise<void>;
  vcpus(): Promise<Vcpu[]>;
  vcpuPins(affect: Affected): Promise<number[][]>;
  pinVcpu(vcpu: number, cpus: readonly number[], affect: Affected): Promise<void>;
  emulatorPin(affect: Affected): Promise<number[]>;
  pinEmulator(cpus: readonly number[], affect: Affected): Promise<void>;
  schedulerParameters(affect: Affected): Promise<SchedulerParameters>;
  setSchedulerParameters(values: SchedulerParameters['values'], affect: Affected): Promise<void>;
}

/** A connection as the addon hands it out; documented in connection.ts. */
export interface NativeConnection {
  close(): Promise<void> | undefined;
  capabilities(): Promise<string>;
  domains(): Promise<NativeDomain[]>;
  domainByName(name: string): Promise<NativeDomain>;
  domainById(id: number): Promise<NativeDomain>;
  domainByUuid(uuid: string): Promise<NativeDomain>;
  defineDomain(xml: string): Promise<NativeDomain>;
  stats(groups: readonly StatsGroup[]): Promise<Stats[]>;
}

export interface NativeAddon {
  open(
    uri: string,
    readOnly: boolean,
    onEvent: ((event: ConnectionEvent) => void) | null,
  ): Promise<NativeConnection>;
}

let loaded: Promise<NativeAddon> | undefined;

/** The addon, loaded once; built first if no run has done it. */
export function loadAddon(): Promise<NativeAddon> {
  loaded ??= buildAddon(stderrProgress()).then((path) => createRequire(import.meta.url)(path) as NativeAddon);
  return loaded;
}
