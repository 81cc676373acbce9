// SPDX-License-Identifier: Apache-2.0

import { type GeneratorResult, generatorResultSchema } from '../../results/generator-result.js';
import { start } from './commands.js';
import { housekeepingCpu } from './cpus.js';

/**
 * Above the kernel's irq threads (FIFO 50): the sender's own TX-clean interrupt must not stand between a packet and
 * the virtual CPU that it wakes.
 */
const priority = 60;

/** Above the sender, which spins for its replies: of the threads that handle the interrupts of their reception. */
export const receivePriority = 70;

/**
 * The sender spins around each round trip, us, so that nothing else of its CPU stands in it: no timer tick's work, no
 * guest's housekeeping. On a bench the sender would have a machine to itself.
 */
const spin = 100;

export interface Traffic {
  interface: string;
  packets: number;
  /** us */
  interval: number;
  pattern?: string;
  /** l3fwd-power routes by address; the dataplane returns whatever comes. */
  destinationIp?: string;
  /** NICs that get packets in turn (1). */
  destinations?: number;
  /** FIFO priority of the sender (60). */
  priority?: number;
  /** Wait for stragglers, ms (20). */
  linger?: number;
  /** Keep this CPU busy at the lowest priority meanwhile, and report the time that got. */
  busyCpu?: number;
  /** That process is an ordinary one (SCHED_OTHER), not one of the lowest priority. */
  busyOrdinary?: true;
  /** Report how long this CPU was idle meanwhile. */
  watchCpu?: number;
  seed: number;
  /** Spins so long around each round trip, us (100); what that measures is of nobody else's time. */
  spin?: number;
  /** No packet is sent sooner after the reply to the one before, us: each meets a program asleep. */
  quiet?: number;
  /** Where each packet's round trip is written, for `courseOf`. */
  samples?: string;
  /** A packet slower than this counts as late, us. */
  late: number;
}

/** Traffic that flows until all packets are sent, or it is stopped; then it waits for stragglers. */
export function startTraffic(
  generator: string,
  traffic: Traffic,
): { ended: Promise<GeneratorResult>; stop: () => void } {
  const { child, ended } = start(`${generator}/vmcall-generator`, ...wordsOf(traffic));
  return {
    ended: ended.then((printed) => generatorResultSchema.parse(JSON.parse(printed))),
    stop: () => child.kill('SIGINT'),
  };
}

function wordsOf(traffic: Traffic): string[] {
  return [
    ...[
      '--interface',
      traffic.interface,
      '--count',
      String(traffic.packets),
      '--interval-us',
      String(traffic.interval),
    ],
    ...(traffic.pattern ? ['--pattern', traffic.pattern] : []),
    ...(traffic.destinationIp ? ['--destination-ip', traffic.destinationIp] : []),
    ...(traffic.quiet === undefined ? [] : ['--quiet-us', String(traffic.quiet)]),
    ...(traffic.samples === undefined ? [] : ['--samples', traffic.samples]),
    ...(traffic.destinations ? ['--destinations', String(traffic.destinations)] : []),
    ...(traffic.busyCpu === undefined ? [] : ['--busy-cpu', String(traffic.busyCpu)]),
    ...(traffic.busyOrdinary ? ['--busy-ordinary'] : []),
    ...(traffic.watchCpu === undefined ? [] : ['--watch-cpu', String(traffic.watchCpu)]),
    ...[
      '--seed',
      String(traffic.seed),
      '--late-us',
      String(traffic.late),
      '--warmup',
      '20',
      '--linger-ms',
      String(traffic.linger ?? 20),
    ],
    ...[
      '--cpu',
      String(housekeepingCpu),
      '--fifo-priority',
      String(traffic.priority ?? priority),
      '--spin-us',
      String(traffic.spin ?? spin),
      '--qdisc-bypass',
      '--json',
    ],
  ];
}
