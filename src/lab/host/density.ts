// SPDX-License-Identifier: Apache-2.0
import { type Plan, smallGuest } from '../plan.js';
import { type Arrival, arrivals, type DensityPath } from '../table-events.js';
import { schedule } from './commands.js';
import { dpdkCpu, vcpuPriority } from './cpus.js';
import type { LabDataplane } from './dataplane.js';
import { emit } from './events.js';
import type { Traffic } from './generator.js';
import type { GuestMachine } from './guest-machine.js';
import { limitHardIrqs } from './kvm.js';
import type { Steps } from './steps.js';
import { type GuestPath, TestBench, takeNic } from './test-bench.js';

/**
 * Polling vCPUs share their CPU as ordinary threads (FIFO priority 0), which is the best that can be done for them:
 * of real-time ones the first would keep it for good.
 */
const paths: readonly (GuestPath & { name: DensityPath; priority: number })[] = [
  {
    name: 'injected',
    policy: 'interrupt',
    priority: vcpuPriority,
    kvm: { irqfdHardirq: false, vcpuYield: false },
  },
  { name: 'vmcall', policy: 'vmcall', priority: vcpuPriority, kvm: { irqfdHardirq: true, vcpuYield: true } },
  { name: 'poll', policy: 'poll', priority: 0, kvm: { irqfdHardirq: false, vcpuYield: false } },
];

/** A polling guest is back on the CPU after a time slice of each other guest, some ms each. */
const linger = 200;

/** The default of `kvm.irqfd_hardirq_max`, a CPU's. */
const hardIrqsOfGuest = 10_000;

/** A guest, its program and its NIC. */
interface Tenant {
  guest: GuestMachine;
  dataplane: LabDataplane;
  nic: string;
}

/** How many steps `density` takes, for its progress. */
export function densityStepCount({ guests = [] }: Plan): number {
  return Math.max(0, ...guests) + guests.length * paths.length * arrivals.length;
}

/** Guests with a DPDK program each, all of whose DPDK vCPUs share one pCPU: more and more of them. */
export async function density(plan: Plan, steps: Steps): Promise<void> {
  const bench = await TestBench.prepare(plan);
  const tenants: Tenant[] = [];
  for (const guests of plan.guests ?? []) {
    // For one guest the default is enough; as many share the CPU now.
    limitHardIrqs(hardIrqsOfGuest * guests);
    while (tenants.length < guests)
      tenants.push(
        await steps.take(`booting guest ${tenants.length + 1}`, () => moveIn(bench, tenants.length)),
      );
    for (const path of paths) {
      for (const tenant of tenants) await enter(bench, tenant, path);
      for (const arrival of arrivals)
        await steps.take(`${guests} guest(s), ${path.name}, packets ${arrival}`, async () => {
          const generator = await bench.burst(trafficFor(plan, guests, arrival));
          emit({ type: 'density', path: path.name, guests, arrival, generator });
        });
    }
    // The next guest could not boot beside those that poll.
    for (const tenant of tenants) await leave(bench, tenant);
  }
  for (const { guest } of tenants) await guest.stop();
}

async function moveIn(bench: TestBench, nth: number): Promise<Tenant> {
  const nic = nth === 0 ? bench.nic : takeNic(nth);
  const guest = await bench.startGuest({ nic, nth }, smallGuest);
  return { guest, nic, dataplane: await bench.startDataplane(guest, { promiscuous: false }) };
}

async function enter(bench: TestBench, tenant: Tenant, path: (typeof paths)[number]): Promise<void> {
  const { guest, dataplane, nic } = tenant;
  await schedule(guest.dpdkThread, dpdkCpu, path.priority);
  await bench.switchTo(guest, dataplane, path, nic);
}

/** Back to a path on which the program sleeps; it must do so before its vCPU is real-time again. */
async function leave(bench: TestBench, { guest, dataplane, nic }: Tenant): Promise<void> {
  const [resting] = paths;
  if (!resting) return;
  await bench.switchTo(guest, dataplane, resting, nic);
  await schedule(guest.dpdkThread, dpdkCpu, resting.priority);
}

/** As many packets for each guest, each at the plan's interval. */
function trafficFor({ packets, interval }: Plan, guests: number, arrival: Arrival) {
  return {
    packets: packets * guests,
    destinations: guests,
    watchCpu: dpdkCpu,
    linger,
    late: interval,
    ...(arrival === 'in-turn'
      ? { interval: Math.round(interval / guests) }
      : { pattern: `burst:${guests}:${interval}` }),
  } satisfies Partial<Traffic>;
}
