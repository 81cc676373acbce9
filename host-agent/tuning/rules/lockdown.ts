// SPDX-License-Identifier: Apache-2.0
import { type Rule, wellRead } from './rule.js';

export const lockdown: Rule = {
  code: 'lockdown',
  severity: 'warn',
  why: 'level confidentiality closes tracefs and the kernel’s memory to root: wake times and some counters are not told',
  source: 'man kernel_lockdown(7); linux: include/linux/security.h (LOCKDOWN_TRACEFS)',
  judge(host) {
    const level = /\[(\w+)\]/.exec(host.read('/sys/kernel/security/lockdown') ?? '')?.[1];
    if (level === undefined) return [];
    if (level !== 'confidentiality')
      return [
        wellRead(level === 'none' ? 'the kernel is not locked down' : `the kernel is locked down: ${level}`),
      ];
    return [
      {
        read: 'the kernel is locked down: confidentiality (/sys/kernel/security/lockdown)',
        cure: 'Boot with lockdown=integrity.',
        undo: 'Boot with lockdown=confidentiality.',
      },
    ];
  },
};
