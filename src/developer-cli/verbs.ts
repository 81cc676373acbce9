// SPDX-License-Identifier: Apache-2.0
import type { Verb } from '../cli/program.js';

/** What `vmcall` does in a clone, beside what is installed on hosts and guests. */
export const developerVerbs: readonly Verb[] = [
  {
    name: 'before-after',
    does: 'measure in the lab what each knob of the host does for latency',
    load: async () => (await import('./before-after.js')).beforeAfterCommand(),
  },
  {
    name: 'bench',
    does: 'measure what the agents themselves cost',
    load: async () => (await import('./bench.js')).benchCommand(),
  },
  {
    name: 'costs',
    does: "count the instructions of KVM's paths, with the patches and without, in the emulated lab",
    load: async () => (await import('./costs.js')).costsCommand(),
  },
  {
    name: 'debian',
    does: 'run a command of this project, or a shell, on another Debian release',
    load: async () => (await import('./debian.js')).debianCommand(),
  },
  {
    name: 'density',
    does: 'measure in the lab how many guests can share one pCPU on each path',
    load: async () => (await import('./density.js')).densityCommand(),
  },
  {
    name: 'lab',
    does: 'run the whole system on this machine, emulated, and compare the paths',
    load: async () => (await import('./lab.js')).labCommand(),
  },
  {
    name: 'modes',
    does: "measure DPDK's working modes in the lab",
    load: async () => (await import('./modes.js')).modesCommand(),
  },
  {
    name: 'packages',
    does: 'build the Debian packages, each release in a clean root folder',
    load: async () => (await import('./packages.js')).packagesCommand(),
  },
  {
    name: 'test',
    does: 'set up everything and run all tests',
    load: async () => (await import('./test.js')).testCommand(),
  },
];
