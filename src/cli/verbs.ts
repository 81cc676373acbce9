// SPDX-License-Identifier: Apache-2.0
import type { Verb } from './program.js';

/** What `vmcall` does on a host, in a guest, and with results anywhere. */
export const verbs: readonly Verb[] = [
  {
    name: 'check',
    does: 'is this host, a domain and its NICs fit for the VM-call path, and why not',
    load: async () => (await import('./check.js')).checkCommand(),
  },
  {
    name: 'compare',
    does: 'compare two runs path by path, or two paths of one run',
    load: async () => (await import('./compare.js')).compareCommand(),
  },
  {
    name: 'cstates',
    does: 'limit a CPU to each of its C-states in turn and measure with a command',
    load: async () => (await import('./cstates.js')).cstatesCommand(),
  },
  {
    name: 'disable',
    does: 'move domains back to the injected path',
    load: async () => (await import('./desire.js')).disableCommand(),
  },
  {
    name: 'enable',
    does: 'put domains on the VM-call path',
    load: async () => (await import('./desire.js')).enableCommand(),
  },
  {
    name: 'enroll',
    does: "issue a guest's secret and print the guest agent's configuration file",
    load: async () => (await import('./enroll.js')).enrollCommand(),
  },
  {
    name: 'export',
    does: "write a run's distributions as CSV or .hgrm",
    load: async () => (await import('./export.js')).exportCommand(),
  },
  {
    name: 'forget',
    does: 'remove what enable or disable desired: injected interrupts, or what the guest sets itself',
    load: async () => (await import('./desire.js')).forgetCommand(),
  },
  {
    name: 'guest-agent',
    does: 'run in a guest: supervise the dataplane and do what the host agent asks',
    load: async () => (await import('./guest-agent.js')).guestAgentCommand(),
  },
  {
    name: 'host-agent',
    does: 'run on a host: keep each domain on the path its metadata wants',
    load: async () => (await import('./host-agent.js')).hostAgentCommand(),
  },
  {
    name: 'import',
    does: "turn another tool's latencies into a result document",
    load: async () => (await import('./import.js')).importCommand(),
  },
  {
    name: 'probe',
    does: "measure how this host's KVM wakes a halted vCPU: injected, by PV kick, by doorbell",
    load: async () => (await import('./probe.js')).probeCommand(),
  },
  {
    name: 'report',
    does: 'write a report of one to four runs as one HTML file',
    load: async () => (await import('./report.js')).reportCommand(),
  },
  {
    name: 'revoke',
    does: "revoke a guest's secret, and end its session",
    load: async () => (await import('./enroll.js')).revokeCommand(),
  },
  {
    name: 'rotate',
    does: "issue a guest's next secret, while the previous one stays valid for some time",
    load: async () => (await import('./enroll.js')).rotateCommand(),
  },
  {
    name: 'run',
    does: "measure a domain's wake latency, and keep it as a result document",
    load: async () => (await import('./run.js')).runCommand(),
  },
  {
    name: 'status',
    does: 'each domain: desired path, actual path, and why they differ',
    load: async () => (await import('./status.js')).statusCommand(),
  },
  {
    name: 'top',
    does: 'watch the domains: paths, rates, wakes by reason, wake latency of the last second',
    load: async () => (await import('./top.js')).topCommand(),
  },
  {
    name: 'tune',
    does: 'tune this host for a DPDK guest',
    load: async () => (await import('./tune.js')).tuneCommand(),
  },
];
