// SPDX-License-Identifier: Apache-2.0
import { readText, run } from './commands.js';

const modules = ['kvm', 'kvm_amd', 'kvm_intel', 'irqbypass', 'vfio_pci_core', 'vfio_pci'];

/** What the figures were measured on, as L1 itself sees it. */
export async function platformFacts(): Promise<Record<string, string>> {
  const facts: Record<string, string> = {
    hostKernel: readText('/proc/version'),
    hostCommandLine: readText('/proc/cmdline'),
    hostCpu: /^model name\s*:\s*(.*)$/m.exec(readText('/proc/cpuinfo'))?.[1] ?? 'unknown',
    clocksource: readText('/sys/devices/system/clocksource/clocksource0/current_clocksource'),
    hostLibvirt: (await run('libvirtd', '--version')).trim(),
    guestQemu: (await run('qemu-system-x86_64', '--version')).split('\n')[0] ?? '',
  };
  for (const name of modules) {
    const parameters = ['srcversion', 'taint'] as const;
    for (const file of parameters) {
      try {
        facts[`module.${name}.${file}`] = readText(`/sys/module/${name}/${file}`);
      } catch {
        // Not loaded: one of kvm_amd and kvm_intel never is.
      }
    }
  }
  return facts;
}
