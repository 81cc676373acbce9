// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../../host/host.js';

import { bootParameters } from '../boot.js';
import { cpuDmaLatency, latencyHolders, noLimit } from '../cpu-dma-latency.js';
import { hardwareStates, idleDriver } from '../cpuidle.js';
import type { Target } from '../target.js';
import { type Finding, ok, warn } from './finding.js';

/** Boot parameters that affect C-states (linux: Documentation/admin-guide/pm/cpuidle.rst, "Idle States Control"). */
const parameters = [
  'intel_idle.max_cstate',
  'processor.max_cstate',
  'intel_idle.states_off',
  'idle',
  'nohlt',
];

/** C-states with their exit latencies, and every limit in force. The limit itself is a knob. */
export function checkIdle(host: Host, { cpus }: Target): Finding[] {
  const cpu = cpus[0] ?? 0;
  const states = hardwareStates(host, cpu);
  if (states.length === 0)
    return [ok('c-states', `none to limit (cpuidle driver: ${idleDriver(host)})`), ...bootLimits(host)];
  const list = states.map(
    ({ name, exitLatency, disabled }) => `${name} ${exitLatency} us${disabled ? ' (disabled)' : ''}`,
  );
  const held = cpuDmaLatency(host);
  return [
    ok('c-states', `CPU ${cpu}, exit latencies: ${list.join(', ')} (${idleDriver(host)})`),
    ok(
      'cpu-dma-latency',
      held === null || held === noLimit
        ? 'nobody holds /dev/cpu_dma_latency'
        : `/dev/cpu_dma_latency is held at ${held} us by ${latencyHolders(host).join(', ') || 'a process that is not to be seen'}`,
    ),
    ...bootLimits(host),
  ];
}

function bootLimits(host: Host): Finding[] {
  const boot = bootParameters(host);
  const given = parameters.filter((name) => boot.has(name)).map((name) => `${name}=${boot.get(name)}`);
  if (boot.get('idle') === 'poll')
    return [
      warn(
        'idle-poll',
        'booted with idle=poll: every idle CPU burns power, and its SMT sibling’s time',
        'Boot without it: vmcall tune limits the DPDK CPUs alone.',
      ),
    ];
  return [
    ok(
      'c-state-boot',
      given.length > 0 ? `boot parameters: ${given.join(' ')}` : 'no boot parameter limits them',
    ),
  ];
}
