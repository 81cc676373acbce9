// SPDX-License-Identifier: Apache-2.0

import type { Step } from '../../src/control/steps.js';
import type { DesiredPath, Path } from '../../src/protocol/fields.js';

/** KVM's two switches of a VM (kernel-patches/docs/switching.md). */
export interface Switches {
  vcpuYield: boolean;
  irqfdHardirq: boolean;
}

/**
 * What a desired path asks of the guest and of KVM; of a KVM without the series only what it does not need goes without.
 */
export const demands: Readonly<Record<DesiredPath, Switches & { guest: Path; needsSeries: boolean }>> = {
  injected: { guest: 'injected', needsSeries: false, vcpuYield: false, irqfdHardirq: false },
  'injected-hard-isr': { guest: 'injected', needsSeries: true, vcpuYield: false, irqfdHardirq: true },
  poll: { guest: 'poll', needsSeries: false, vcpuYield: false, irqfdHardirq: false },
  // The hard handler rings sooner, and the kick comes without it, too.
  'pv-kick': { guest: 'pv-kick', needsSeries: false, vcpuYield: false, irqfdHardirq: true },
  vmcall: { guest: 'vmcall', needsSeries: true, vcpuYield: true, irqfdHardirq: true },
};

const switchesOf = ({ vcpuYield, irqfdHardirq }: Switches): Switches => ({ vcpuYield, irqfdHardirq });

/** How a step leaves KVM's switches. */
export const stepSwitches: Readonly<Partial<Record<Step, Switches>>> = {
  allow: switchesOf(demands.vmcall),
  'allow-hard-isr': switchesOf(demands['injected-hard-isr']),
  forbid: switchesOf(demands.injected),
};

/** The path that a step tells the guest. */
export const stepTells: Readonly<Partial<Record<Step, Path>>> = {
  'tell-vmcall': 'vmcall',
  'tell-injected': 'injected',
  'tell-poll': 'poll',
  'tell-pv-kick': 'pv-kick',
};
