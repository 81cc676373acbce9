// SPDX-License-Identifier: Apache-2.0
import type { Result } from './schema.js';

/** What a clock's figures mean, in a sentence. */
export function describeClock(clock: Result['clock']): string {
  switch (clock) {
    case 'instruction':
      return 'Instruction clock: one instruction is one ns, VMRUN and #VMEXIT count one each; caches and C-states do not count. The figures compare paths; they are not what hardware would show.';
    case 'realtime':
      return 'Emulated in real time: for function only, no latency here means anything.';
    case 'nested-hardware':
      return 'Hardware virtualisation inside a virtual machine: exits cost more than on bare metal.';
    case 'bare-metal':
      return 'Bare metal.';
    case 'unknown':
      return 'What it was measured on is not known: the file it was imported from does not say.';
  }
}

/** That, and why, a run is a part of one; undefined for a whole run. */
export function describePartial({ partial }: Pick<Result, 'partial'>): string | undefined {
  return partial && `${partial.why} when ${Math.round(partial.done * 100)} % of its steps were done`;
}

/** What a text begins with that tells of a run; nothing for a whole one. */
export function partialLines(run: Pick<Result, 'partial'>): string[] {
  const partial = describePartial(run);
  return partial ? [`PARTIAL: ${partial}. Below is what was measured until then.`, ''] : [];
}

export function describeQuantity(quantity: Result['quantity']): string {
  switch (quantity) {
    case 'round-trip':
      return 'Round trip of a packet';
    case 'wake-latency':
      return 'Wake latency in the VM';
    case 'timer-wake-up':
      return "Lateness of a timer's thread";
    case 'stolen-time':
      return 'Step of a busy loop, with the time stolen from it';
    case 'unknown':
      return 'Latency';
  }
}
