// SPDX-License-Identifier: Apache-2.0
import type { TunedDomain, TunedDomainFacts } from '../domain.js';
import type { HostSystem } from '../knob.js';

/** libvirt allows no slash in a name, but QEMU does. */
const escaped = (name: string) => name.replace(/[%/]/g, encodeURIComponent);

/** A place inside a domain: `NAME/vcpu/1`, `NAME/emulator`. */
export const vcpuPlace = (facts: TunedDomainFacts, vcpu: number) => `${escaped(facts.name)}/vcpu/${vcpu}`;

/** `NAME/emulator`, or `NAME/emulator/not:2014+2015` where those threads have CPUs of their own. */
export function emulatorPlace({ name, ownCpus }: TunedDomainFacts): string {
  const place = `${escaped(name)}/emulator`;
  return ownCpus.length > 0 ? `${place}/not:${ownCpus.join('+')}` : place;
}

/** The threads that such a place leaves out. */
export const sparedThreads = (place: string): number[] =>
  (/\/not:([\d+]+)$/.exec(place)?.[1] ?? '').split('+').filter(Boolean).map(Number);

export async function openPlace(
  { domains }: HostSystem,
  place: string,
): Promise<{ domain: TunedDomain; facts: TunedDomainFacts; vcpu: number } | null> {
  const [name = '', , vcpu = 'NaN'] = place.split('/');
  const domain = await domains.named(name.replace(/%(2F|25)/g, decodeURIComponent));
  return domain && { domain, facts: await domain.facts(), vcpu: Number(vcpu) };
}

/** By its UUID; one without is no other's for as long as its process runs. */
export async function ownerOf(system: HostSystem, place: string): Promise<string | null> {
  const facts = (await openPlace(system, place))?.facts;
  return facts ? (facts.uuid ?? `process ${facts.pid}`) : null;
}

/** Reads one vCPU of a domain; null where the domain or the vCPU is gone. */
export async function readVcpu(
  system: HostSystem,
  place: string,
  read: (vcpu: TunedDomainFacts['vcpus'][number]) => string,
): Promise<string | null> {
  const opened = await openPlace(system, place);
  const vcpu = opened?.facts.vcpus.find((entry) => entry.vcpu === opened.vcpu);
  return vcpu ? read(vcpu) : null;
}
