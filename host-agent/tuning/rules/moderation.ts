// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../../host/host.js';
import { deviceInterrupts } from '../../host/interrupts.js';
import { type Rule, wellRead } from './rule.js';

const global = '/proc/irq/soft_moderation';
const list = '/sys/module/irq_moderation/parameters/enable_list';
/** VFIO's, whatever the device: handlers are listed with brackets, interrupts by their names. */
const ours = ['vfio_msihandler()', 'vfio-msix[0]', 'vfio-msi[0]', 'vfio-intx'];

/** The longest time an interrupt may be held, us; 0: none is. */
function delay(host: Host): number {
  const told = /^\s*delay_us\s+(\d+)/m.exec(host.read(global) ?? '')?.[1];
  return Number(told ?? host.read('/sys/module/irq_moderation/parameters/delay_us') ?? 0);
}

/** `*` and `?`, as the kernel's glob_match() has them. */
const glob = (pattern: string) =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );

const listed = (host: Host): string[] => {
  const text = host.read(list) ?? /enable_list\s+'([^']*)'/.exec(host.read(global) ?? '')?.[1] ?? '';
  return text.split(',').filter((pattern) => pattern !== '' && ours.some((name) => glob(pattern).test(name)));
};

const each = (irqs: readonly number[], value: string) =>
  `for n in ${irqs.join(' ')}; do echo ${value} > /proc/irq/$n/soft_moderation; done`;

/** Takes patterns out of the list, and puts them back. */
function unlist(host: Host, patterns: readonly string[]): { cure: string; undo: string } {
  const now = host.read(list);
  if (now === null)
    return {
      cure: 'Take VFIO out of irq_moderation.enable_list.',
      undo: `Have ${patterns.join(',')} in irq_moderation.enable_list again.`,
    };
  const left = now.split(',').filter((pattern) => !patterns.includes(pattern));
  return { cure: `echo '${left.join(',')}' > ${list}`, undo: `echo '${now}' > ${list}` };
}

/** Software moderation is chosen by handler or interrupt: vfio_msihandler is the proposal's own example. */
export const softwareModeration: Rule = {
  code: 'software-moderation',
  severity: 'fail',
  why: 'the kernel disables a moderated interrupt for up to this long after it came: the next packet waits for a timer',
  source:
    'linux: kernel/irq/irq_moderation.c (proposed 2025-12, lore: 20251217112128.1401896-1-lrizzo@google.com)',
  judge(host, { nics }) {
    if (host.read(global) === null) return [];
    const us = delay(host);
    if (us === 0) return [wellRead('software interrupt moderation is off')];
    const held = nics.flatMap(({ address }) =>
      deviceInterrupts(host, address)
        .map(({ irq }) => irq)
        .filter((irq) => /^(on|1)\b/.test(host.read(`/proc/irq/${irq}/soft_moderation`) ?? '')),
    );
    const patterns = listed(host);
    if (held.length === 0 && patterns.length === 0)
      return [wellRead(`software interrupt moderation (${us} us) leaves the NICs alone`)];
    return [
      {
        read:
          held.length > 0
            ? `interrupts ${held.join(', ')} of the NIC are moderated by software, up to ${us} us`
            : `VFIO's interrupts will be moderated by software, up to ${us} us (enable_list ${patterns.join(',')})`,
        cure:
          held.length > 0
            ? `${each(held, 'off')}${patterns.length > 0 ? '  # and take VFIO out of irq_moderation.enable_list' : ''}`
            : unlist(host, patterns).cure,
        undo: held.length > 0 ? each(held, 'on') : unlist(host, patterns).undo,
      },
    ];
  },
};
