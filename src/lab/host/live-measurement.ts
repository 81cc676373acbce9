// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { LiveMeasurement } from '../events.js';
import type { ControlPlane } from './control-plane.js';
import { dpdkCpu } from './cpus.js';
import { domainName } from './domain-xml.js';
import { emit } from './events.js';
import { steerVfioInterrupts } from './nic.js';
import type { Standing } from './standing.js';
import type { Steps } from './steps.js';

export const liveMeasurementStepCount = 2;

const secondsEach = 1;
/** The standing measurement starts again for the first who watches; a picture comes each second. */
const pictures = 4;
/** Looks for what is left of a trace, ms of the lab's clock apart. */
const looks = 50;
const lookMs = 100;
/** More than are sent until all is measured. */
const packetsMost = 1_000_000;

/** `vmcall run` and `vmcall top`, as a user has them, while packets flow. */
export async function liveMeasurement(steps: Steps, { bench, guest, plane }: Standing): Promise<void> {
  plane.reconfigure({ interval: 10, measure: true });
  steerVfioInterrupts(bench.nic, dpdkCpu);
  await steps.take('wake latency by vmcall run and vmcall top', async () => {
    const traffic = bench.traffic({ packets: packetsMost });
    emit(await measureLive(plane));
    traffic.stop();
    await traffic.ended;
  });
  await steps.take('stopping the guest', () => guest.stop());
}

/** Both paths in turn, and what is watched on the injected one. */
async function measureLive(plane: ControlPlane): Promise<LiveMeasurement> {
  const words = ['--paths', 'injected,vmcall', '--seconds', String(secondsEach), '--json'];
  const result: unknown = JSON.parse(
    await plane.vmcall('run', domainName, ...words, '--output', '/run/lab/runs'),
  );
  await plane.switchTo('injected');
  const seen = await plane.vmcall('top', '--json', '--iterations', String(pictures));
  const top: unknown = JSON.parse(seen.trim().split('\n').at(-1) ?? '');
  for (let look = 0; look < looks && traces().length > 0; look++) await delay(lookMs);
  return { type: 'live-measurement', result, top, tracesLeft: traces() };
}

/** Instances of ftrace. */
const traces = () => readdirSync('/sys/kernel/tracing/instances');
