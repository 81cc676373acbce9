// SPDX-License-Identifier: Apache-2.0
import type { Pass, PathName, Round } from '../events.js';
import type { Plan } from '../plan.js';
import { type Dataplane, GuestDataplane, NativeDataplane, type Policy } from './dataplane.js';
import { emit } from './events.js';
import { generate } from './generator.js';
import { dpdkCpu, GuestMachine } from './guest-machine.js';
import { increase, type KvmSwitch, tallied, throwSwitch, vcpuCounters } from './kvm.js';
import { l3fwdDestination, startL3fwdPower } from './l3fwd-power.js';
import { bind, bringUpQuiet, findInterface, steerVfioInterrupts } from './nic.js';
import type { Steps } from './steps.js';

export const senderMac = '52:54:00:00:00:01';
export const dpdkMac = '52:54:00:00:00:02';

interface GuestPath {
  name: PathName;
  policy: Policy;
  kvm: KvmSwitch;
}

/** The paths that one running guest takes in turns, by switching at run time. */
const guestPaths: readonly GuestPath[] = [
  { name: 'poll', policy: 'poll', kvm: { irqfdHardirq: false, vcpuYield: false } },
  { name: 'injected', policy: 'interrupt', kvm: { irqfdHardirq: false, vcpuYield: false } },
  { name: 'injected-hard-isr', policy: 'interrupt', kvm: { irqfdHardirq: true, vcpuYield: false } },
  { name: 'vmcall', policy: 'vmcall', kvm: { irqfdHardirq: true, vcpuYield: true } },
];

/**
 * The main job: every path under the same packets in one run. The native path, which needs the NIC for itself,
 * runs before the guest and again after it; the guest's paths take turns in between.
 */
export async function compare(plan: Plan, steps: Steps): Promise<void> {
  const bench = await TestBench.prepare(plan);
  await steps.take('native interrupt mode on the host, first half', () =>
    bench.native(0, Math.ceil(plan.packets / 2)),
  );
  const guest = await steps.take('booting the guest', () => bench.startGuest());
  await steps.take("DPDK's own l3fwd-power in the guest", () => bench.l3fwdPower(guest));
  const dataplane = await bench.startDataplane(guest);
  const share = Math.ceil(plan.packets / plan.rounds);
  for (let index = 0; index < plan.rounds; index++)
    for (const path of guestPaths)
      await steps.take(`${path.name}, round ${index + 1} of ${plan.rounds}`, () =>
        bench.guestRound(guest, dataplane, path, 'latency', index, share),
      );
  const accountingPackets = Math.min(plan.packets, 200);
  for (const path of guestPaths)
    await steps.take(`${path.name}: counting exits`, () =>
      bench.guestRound(guest, dataplane, path, 'accounting', 0, accountingPackets),
    );
  await dataplane.setIdleThreshold(0);
  for (const path of guestPaths)
    await steps.take(`${path.name}: CPU handed back`, () =>
      bench.guestRound(guest, dataplane, path, 'handback', 0, accountingPackets),
    );
  await dataplane.stop();
  await guest.stop();
  await steps.take('native interrupt mode on the host, second half', () =>
    bench.native(1, Math.floor(plan.packets / 2)),
  );
}

/** How many steps `compare` takes, for its progress. */
export function stepCount(plan: Plan): number {
  return 4 + guestPaths.length * (plan.rounds + 2);
}

/** The two NICs, the traffic between them, and rounds of it. */
export class TestBench {
  private constructor(
    private readonly plan: Plan,
    private readonly sender: string,
    private readonly nic: string,
  ) {}

  static async prepare(plan: Plan): Promise<TestBench> {
    const nic = findInterface(dpdkMac).address;
    const sender = findInterface(senderMac).name;
    bind(nic, 'vfio-pci');
    await bringUpQuiet(sender);
    return new TestBench(plan, sender, nic);
  }

  async startGuest(): Promise<GuestMachine> {
    const { kernel, guestInitramfs } = this.plan;
    return GuestMachine.start({ kernel, initramfs: guestInitramfs, nic: this.nic, folder: '/run/lab' });
  }

  async startDataplane(guest: GuestMachine, program = 'vmcall-dataplane'): Promise<Dataplane> {
    const { idleThreshold } = this.plan;
    return GuestDataplane.start(guest, { program, policy: 'interrupt', idleThreshold });
  }

  async native(index: number, packets: number): Promise<void> {
    const { dataplane: folder, idleThreshold } = this.plan;
    const options = { program: 'vmcall-dataplane', policy: 'interrupt' as const, idleThreshold };
    const dataplane = await NativeDataplane.start(folder, this.nic, options);
    try {
      steerVfioInterrupts(this.nic, dpdkCpu);
      const measure = (pass: Pass, count: number) =>
        this.#round('native-interrupt', pass, index, count, dataplane);
      await measure('latency', packets);
      if (index > 0) {
        await dataplane.setIdleThreshold(0);
        const count = Math.min(packets, 200);
        await measure('handback', count);
      }
    } finally {
      await dataplane.stop();
    }
  }

  async l3fwdPower(guest: GuestMachine): Promise<void> {
    throwSwitch(guest, { irqfdHardirq: false, vcpuYield: false });
    const stop = await startL3fwdPower(guest);
    steerVfioInterrupts(this.nic, dpdkCpu);
    await this.#round('l3fwd-power', 'latency', 0, Math.min(this.plan.packets, 300), undefined, {
      destinationIp: l3fwdDestination,
    });
    await stop();
  }

  async guestRound(
    guest: GuestMachine,
    dataplane: Dataplane,
    path: GuestPath,
    pass: Pass,
    index: number,
    packets: number,
    pattern?: string,
  ): Promise<Round> {
    throwSwitch(guest, path.kvm);
    await dataplane.setPolicy(path.policy);
    steerVfioInterrupts(this.nic, dpdkCpu);
    const before = await vcpuCounters(guest);
    const work = () =>
      this.#round(path.name, pass, index, packets, dataplane, { silent: true, ...(pattern && { pattern }) });
    let round: Round;
    if (pass === 'accounting') {
      const { result, exits, injections, messages } = await tallied(work);
      const mine = (keys: Record<string, string>) => Number(keys.common_pid) === guest.dpdkThread;
      round = {
        ...result,
        trace: {
          exits: Object.fromEntries(
            exits
              .filter(({ keys }) => keys.vcpu_id === '1')
              .map(({ keys, count }) => [keys.exit_reason ?? '?', count]),
          ),
          injected: Object.fromEntries(
            injections.filter(({ keys }) => mine(keys)).map(({ keys, count }) => [keys.vector ?? '?', count]),
          ),
          messages,
        },
      };
    } else {
      round = await work();
    }
    round.kvm = increase(before, await vcpuCounters(guest));
    emit(round);
    return round;
  }

  async #round(
    path: PathName,
    pass: Pass,
    index: number,
    packets: number,
    dataplane?: Dataplane,
    options: { silent?: boolean; pattern?: string; destinationIp?: string } = {},
  ): Promise<Round> {
    const { generator, interval, seed } = this.plan;
    await dataplane?.reset();
    const result = await generate(generator, {
      interface: this.sender,
      packets,
      interval,
      seed: seed + index,
      late: interval,
      ...(options.pattern && { pattern: options.pattern }),
      ...(options.destinationIp && { destinationIp: options.destinationIp }),
      ...(pass === 'handback' && { busyCpu: dpdkCpu }),
    });
    const round: Round = { type: 'round', path, pass, index, generator: result };
    if (dataplane) {
      const stats = await dataplane.stats();
      round.dataplane = Object.fromEntries(
        Object.entries(stats).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
      );
      if (path === 'vmcall') round.wakeLatency = await dataplane.histogram();
    }
    if (!options.silent) emit(round);
    return round;
  }
}
