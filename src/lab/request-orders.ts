// SPDX-License-Identifier: Apache-2.0
import { dirname, join } from 'node:path';
import { cacheRoot } from '../support/paths.js';
import { shellWord } from '../support/shell-words.js';
import type { LabStage } from './events.js';
import { instructionClockTscKhz } from './machine.js';
import { clockTime, type Order, startOrder } from './orders.js';
import type { Parts, Plan } from './plan.js';
import type { LabRequest } from './request.js';
import { tscKhz } from './tsc.js';

/** What each stage leads to; a run whose scenario makes its guests itself never is at `standing`. */
type Orders = Record<Exclude<LabStage, 'standing'>, () => string> & Partial<Record<LabStage, () => string>>;

export function planOf({ artifacts, clock, scenario }: LabRequest): Plan {
  const { kernel, guestInitramfs, dataplane, generator, programs, turns, stock, selftests, costs } =
    artifacts;
  return {
    ...scenario,
    kernel: kernel.vmlinuz,
    guestInitramfs,
    dataplane,
    generator,
    programs,
    turns,
    stock,
    selftests,
    costs,
    tscKhz: clock === 'instruction' ? instructionClockTscKhz : tscKhz(),
  };
}

function partsOf(plan: Plan): Parts {
  const { kernel, guestInitramfs, dataplane, generator, programs, turns, stock } = plan;
  const { tscKhz, idleThreshold } = plan;
  return { kernel, guestInitramfs, dataplane, generator, programs, turns, stock, tscKhz, idleThreshold };
}

export function ordersOf(plan: Plan, root: string | undefined, start: string): Orders {
  const text = (order: Order) => JSON.stringify(order);
  const run = () => text({ order: 'run', plan, now: clockTime() });
  const booted = () => startOrder(clockTime(), root, start);
  if (root === undefined) return { booted, begun: run };
  return { booted, begun: () => text({ order: 'stand-up', parts: partsOf(plan) }), standing: run };
}

/** What L1 runs once it has a root: the same whatever the run, since it is in images. */
export function startScript(programs: string): string {
  return [
    '# Written by the lab: what L1 runs once its root is mounted.',
    'export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/run/lab TMPDIR=/run/lab',
    // The libvirt addon is there.
    `export XDG_CACHE_HOME=${shellWord(dirname(cacheRoot))}`,
    `${shellWord(process.execPath)} ${shellWord(join(programs, 'lab-host.js'))}`,
    'busybox cat /run/lab/*.log',
    'busybox poweroff -f',
    '',
  ].join('\n');
}
