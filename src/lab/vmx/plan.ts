// SPDX-License-Identifier: Apache-2.0
import type { ModuleSet } from '../../setup/vmx/artifacts.js';

/** One program, on KVM's modules loaded anew. */
export interface VmxStep {
  name: string;
  /** None: as the step before left them. */
  modules?: ModuleSet;
  /** Of kvm-intel, as for insmod. */
  parameters?: string;
  command: readonly string[];
  /** After so much emulated time it is killed, s. */
  limit?: number;
}

/** What the CPU can be told to do without, or does: parameters of kvm-intel. */
export const variants = {
  APICv: '',
  'no APICv': 'enable_apicv=0',
  'no EPT': 'ept=0',
  'no unrestricted guest': 'unrestricted_guest=0',
  'no preemption timer': 'preemption_timer=0',
} as const;

const defaultLimit = 3600;

/** `/plan` of the initramfs, which init.sh runs: a line a step. */
export function planText(steps: readonly VmxStep[]): string {
  const lines = steps.flatMap(({ name, modules, parameters = '', command, limit = defaultLimit }) => [
    ...(modules ? [`load ${modules} ${parameters}`.trimEnd()] : []),
    ['run', name, String(limit), ...command].map(quoted).join(' '),
  ]);
  return `${lines.join('\n')}\n`;
}

const quoted = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
