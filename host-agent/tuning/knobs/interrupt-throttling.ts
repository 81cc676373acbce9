// SPDX-License-Identifier: Apache-2.0
import type { Coalescing } from '../../host/host-commands.js';
import type { Knob } from '../knob.js';

const format = ({ rxUsecs, adaptiveRx, rxFrames }: Coalescing) =>
  `rx-usecs ${rxUsecs}${rxFrames == null ? '' : ` rx-frames ${rxFrames}`}${adaptiveRx === null ? '' : ` adaptive-rx ${adaptiveRx ? 'on' : 'off'}`}`;

function parse(text: string): Coalescing {
  const adaptive = /adaptive-rx (on|off)/.exec(text)?.[1];
  const frames = /rx-frames (\d+)/.exec(text)?.[1];
  return {
    rxUsecs: Number(/rx-usecs (\d+)/.exec(text)?.[1]),
    ...(frames !== undefined && { rxFrames: Number(frames) }),
    adaptiveRx: adaptive === undefined ? null : adaptive === 'on',
  };
}

/**
 * Of NICs that a kernel driver has. On vfio-pci the registers belong to the guest: there the DPDK program
 * clears EITR itself (guest-agent/library, nic_82574.c).
 */
export const interruptThrottling: Knob = {
  name: 'interrupt-throttling',
  why: 'the NIC delays interrupts (ixgbe: up to 500 us); off, each packet interrupts at once',
  source:
    'the KVM4NFV talk, "Performance Issues on a Native OS"; linux: Documentation/networking/ethtool-netlink.rst',
  severity: 'fail',
  settings: ({ host }, target) =>
    target.nics.flatMap(({ address }) =>
      host.names(`/sys/bus/pci/devices/${address}/net`).flatMap((place) => {
        const now = host.coalescing(place);
        if (!now) return [];
        const wanted = {
          rxUsecs: 0,
          // With both at 0 a driver may never interrupt: one frame is the least (linux: include/uapi/linux/ethtool.h).
          ...(now.rxFrames != null && { rxFrames: 1 }),
          adaptiveRx: now.adaptiveRx === null ? null : false,
        };
        return [{ place, now: format(now), wanted: format(wanted) }];
      }),
    ),
  read: async ({ host }, place) => {
    const now = host.exists(`/sys/class/net/${place}`) ? host.coalescing(place) : null;
    return now && format(now);
  },
  write: async ({ host }, place, value) => host.setCoalescing(place, parse(value)),
};
