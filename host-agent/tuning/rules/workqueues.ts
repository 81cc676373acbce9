// SPDX-License-Identifier: Apache-2.0
import { formatCpuMask, formatCpus, overlap, parseCpuMask, without } from '../cpu-set.js';
import { type Rule, wellRead } from './rule.js';

const folder = '/sys/devices/virtual/workqueue';

/** Of unbound work, and of writeback, which has a mask of its own. */
const files = [`${folder}/cpumask`, `${folder}/writeback/cpumask`];

export const workqueueMask: Rule = {
  code: 'workqueue-mask',
  severity: 'warn',
  why: 'work that is bound to no CPU may be run on a DPDK CPU, by a kernel thread that waits for the vCPU or makes it wait',
  source: 'linux: Documentation/core-api/workqueue.rst, "Affinity Scopes"; tuned: profiles/cpu-partitioning',
  judge: (host, { cpus }) =>
    files.flatMap((file) => {
      const mask = host.read(file);
      if (mask === null) return [];
      const allowed = parseCpuMask(mask);
      const those = overlap(cpus, allowed);
      if (those.length === 0) return [wellRead(`${file}: ${mask}`)];
      return [
        {
          read: `${file} is ${mask}: unbound work may run on CPU ${formatCpus(those)}`,
          cure: `echo ${formatCpuMask(without(allowed, cpus))} > ${file}`,
          undo: `echo ${mask} > ${file}`,
        },
      ];
    }),
};
