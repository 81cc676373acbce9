// SPDX-License-Identifier: Apache-2.0
import { VmcallError } from '../../src/support/errors.js';
import type { Host } from '../host/host.js';

/** How a guest's TSC follows from the host's: times `ratio`, shifted right by `fractionBits`, plus `offset`. */
export interface GuestTsc {
  ratio: bigint;
  fractionBits: bigint;
  offset: bigint;
}

/** Files of a vCPU in KVM's debugfs (linux: arch/x86/kvm/debugfs.c); the last two where the CPU can scale. */
const files = { offset: 'tsc-offset', ratio: 'tsc-scaling-ratio', bits: 'tsc-scaling-ratio-frac-bits' };

/**
 * As KVM has set it for a VM.
 * @param folder the VM's in KVM's debugfs
 * @throws VmcallError GUEST_TSC: KVM does not tell, or its vCPUs have different ones
 */
export function readGuestTsc(host: Pick<Host, 'names' | 'read'>, folder: string): GuestTsc {
  const vcpus = host.names(folder).filter((name) => /^vcpu\d+$/.test(name));
  const texts = vcpus.map((vcpu) =>
    Object.values(files).map((file) => host.read(`${folder}/${vcpu}/${file}`)),
  );
  const [first] = texts;
  if (!first || texts.some((each) => each.join() !== first.join()))
    throw guestTsc(`the ${vcpus.length} vCPUs in ${folder} have no TSC offset in common`);
  const [offset, ratio, bits] = first;
  if (!/^-?\d{1,20}$/.test(offset ?? '')) throw guestTsc(`${folder} has no ${files.offset}`);
  const scales = /^\d{1,20}$/.test(ratio ?? '') && /^\d{1,2}$/.test(bits ?? '');
  return {
    offset: BigInt(offset ?? 0),
    ratio: scales ? BigInt(ratio ?? 1) : 1n,
    fractionBits: scales ? BigInt(bits ?? 0) : 0n,
  };
}

/** (linux: arch/x86/kvm/x86.c, kvm_scale_tsc and kvm_read_l1_tsc) */
export function toGuestTsc(hostTsc: bigint, { ratio, fractionBits, offset }: GuestTsc): bigint {
  return BigInt.asUintN(64, ((hostTsc * ratio) >> fractionBits) + offset);
}

const guestTsc = (what: string) =>
  new VmcallError(
    'GUEST_TSC',
    what,
    "Run the host agent as root, with debugfs mounted, on the VM's own host",
  );
