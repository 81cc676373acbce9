// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { exitCodes, VmcallError } from '../../src/support/errors.js';
import { libvirtAddon } from '../../src/support/paths.js';
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

let loaded: NativeAddon | undefined;

/** The addon, loaded once. @throws VmcallError LIBVIRT_ADDON_ABSENT, LIBVIRT_ADDON_UNUSABLE */
export function loadAddon(): NativeAddon {
  loaded ??= load(libvirtAddon);
  return loaded;
}

function load(path: string): NativeAddon {
  if (!existsSync(path))
    throw new VmcallError(
      'LIBVIRT_ADDON_ABSENT',
      `there is no ${path}, by which libvirt is spoken to`,
      'Install the vmcall package again; in a clone: npm run build',
      exitCodes.unsupported,
    );
  try {
    return createRequire(import.meta.url)(path) as NativeAddon;
  } catch (cause) {
    throw new VmcallError(
      'LIBVIRT_ADDON_UNUSABLE',
      `${path} cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`,
      'Install libvirt0 (its library libvirt.so.0) of this architecture',
      exitCodes.unsupported,
      { cause },
    );
  }
}
