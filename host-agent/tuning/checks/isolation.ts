// SPDX-License-Identifier: Apache-2.0

import type { Host } from '../../host/host.js';
import { bootParameters, isRealTimeKernel } from '../boot.js';
import { contains, formatCpus, overlap, without } from '../cpu-set.js';
import { isolatedCpus, isolcpus, namedCpus, onlineCpus, siblingsOf, ticklessCpus } from '../cpus.js';
import { partitions } from '../cpusets.js';
import { fairServerFile } from '../fair-server.js';
import type { Target } from '../target.js';
import { type Finding, fail, ok, warn } from './finding.js';

/** RT kernel and CPU isolation: what only boot parameters can change. */
export function checkIsolation(host: Host, target: Target): Finding[] {
  const version = (host.read('/proc/version') ?? 'unknown').split(' (')[0] ?? 'unknown';
  const findings = [
    isRealTimeKernel(host)
      ? ok('rt-kernel', `${version}, PREEMPT_RT`)
      : fail(
          'rt-kernel',
          `${version} is not PREEMPT_RT: how long scheduling is put off has no bound`,
          'apt-get install linux-image-rt-amd64  # and boot it',
        ),
  ];
  if (target.cpus.length === 0)
    return [
      ...findings,
      fail(
        'isolcpus',
        'no CPU is isolated (/sys/devices/system/cpu/isolated is empty), and no DPDK CPU was named',
        wholeIsolation(host),
      ),
    ];
  const { cpus } = target;
  const tickless = ticklessCpus(host);
  // Those of nohz_full= are offloaded as well (linux: Documentation/admin-guide/kernel-parameters.txt).
  const offloaded = [...tickless, ...namedCpus(host, bootParameters(host).get('rcu_nocbs'))];
  findings.push(
    isolation(host, cpus),
    has('nohz_full', cpus, tickless, warn, 'the tick interrupts it'),
    has('rcu_nocbs', cpus, offloaded, warn, 'RCU callbacks run on it'),
  );
  return [...findings, ...fairServer(host, target)];
}

/** For a host where nothing is isolated: all but the first core of each node. */
function wholeIsolation(host: Host): string {
  const online = onlineCpus(host);
  const nodes = host
    .names('/sys/devices/system/node')
    .filter((name) => /^node\d+$/.test(name))
    .map((name) => overlap(namedCpus(host, host.read(`/sys/devices/system/node/${name}/cpulist`)), online));
  const kept = (nodes.length > 0 ? nodes : [online]).flatMap(([first]) =>
    first === undefined ? [] : [first, ...siblingsOf(host, first)],
  );
  const list = formatCpus(without(online, kept));
  return list === ''
    ? 'Take a host with more CPUs: this one has none to be isolated.'
    : `Boot with isolcpus=managed_irq,domain,${list} nohz_full=${list} rcu_nocbs=${list} irqaffinity=${formatCpus(kept)}, or with fewer of them.`;
}

function has(
  parameter: string,
  cpus: readonly number[],
  those: readonly number[],
  otherwise: typeof fail,
  harm: string,
  flags = '',
): Finding {
  const code = parameter.replace('_', '-');
  if (contains(those, cpus)) return ok(code, `${parameter} holds DPDK CPU ${formatCpus(cpus)}`);
  return otherwise(
    code,
    `${parameter} lacks CPU ${formatCpus(without(cpus, those))}: ${harm}`,
    `Boot with ${parameter}=${flags}${formatCpus([...those, ...cpus])}.`,
  );
}

/** A cpuset partition that leaves balancing on needs no boot to be made an isolated one. */
function isolation(host: Host, cpus: readonly number[]): Finding {
  const finding = has(
    'isolcpus',
    cpus,
    isolatedCpus(host),
    fail,
    'the scheduler balances other work onto it',
    `${[...new Set(['managed_irq', 'domain', ...(isolcpus(host)?.flags ?? [])])].join(',')},`,
  );
  const partition = partitions(host).find(({ kind, cpus: own }) => kind === 'root' && contains(own, cpus));
  if (finding.severity === 'ok' || !partition) return finding;
  const file = `/sys/fs/cgroup${partition.path}/cpuset.cpus.partition`;
  return {
    ...finding,
    todo: `echo isolated > ${file}  # what runs in it must be pinned; or ${finding.todo?.replace(/^Boot/, 'boot').replace(/\.$/, '')}`,
    undo: `echo root > ${file}`,
  };
}

/** Since 6.12 this, not sched_rt_runtime_us, bounds real-time tasks (linux: kernel/sched/debug.c, fair_server). */
function fairServer(host: Host, { facts, cpus, apply }: Target): Finding[] {
  if (!facts) return [];
  const bounded = cpus.filter((cpu) => Number(host.read(fairServerFile(cpu)) ?? 0) > 0);
  if (bounded.length === 0) return [];
  return [
    warn(
      'fair-server',
      `CPU ${formatCpus(bounded)}: a real-time vCPU that polls loses up to 50 ms a second to any waiting ordinary task`,
      `${apply}  # for long polling: nothing but the vCPU runs there then; leave it while the vCPU yields`,
    ),
  ];
}
