// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import type { DesiredPath } from '../../protocol/fields.js';
import type { Pass, PathName, Round } from '../events.js';
import { dpdkMac, senderMac } from '../machine.js';
import type { Parts, Plan, smallGuest } from '../plan.js';
import { readText } from './commands.js';
import { ControlPlane, filePrefix } from './control-plane.js';
import { courseOf } from './course.js';
import { dpdkCpu, dpdkVcpu, housekeepingCpu } from './cpus.js';
import {
  type DataplaneOptions,
  GuestDataplane,
  type LabDataplane,
  NativeDataplane,
  type Policy,
} from './dataplane.js';
import { emit } from './events.js';
import { receivePriority, startTraffic, type Traffic } from './generator.js';
import { GuestMachine } from './guest-machine.js';
import { increase, type KvmSwitch, tallied, throwSwitch, vcpuCounters } from './kvm.js';
import { l3fwdDestination, l3fwdInterval, startL3fwdPower } from './l3fwd-power.js';
import { bind, bringUpQuiet, findInterface, prioritiseReceive, steerVfioInterrupts } from './nic.js';
import { liftRealTimeThrottling, postponeStatistics } from './real-time.js';
import { stageNames, traced } from './stages.js';

/** Packets of a round that is not about latency. */
const accountingPackets = 200;
/** Packets whose way is traced. */
const stagePackets = 100;
/** Packets of what the paths are judged by. */
const referencePackets = 300;

/** Nothing changes during a run but by its own requests: the host agent checks the domain at each of those, s. */
const quietInterval = 3600;

/** A path that a running guest takes by switching at run time. */
export interface GuestPath {
  name: PathName & DesiredPath;
  policy: Policy;
  kvm: KvmSwitch;
}

/** In memory, as everything that L1 writes. */
const samples = '/run/lab/samples.csv';

/** Gives the nth NIC for DPDK to vfio-pci; its PCI address. */
export function takeNic(nth: number): string {
  const nic = findInterface(dpdkMac(nth)).address;
  bind(nic, 'vfio-pci');
  return nic;
}

/** The two NICs, the traffic between them, and rounds of it. */
export class TestBench {
  #plane: ControlPlane | undefined;
  #plan: Plan | undefined;

  private constructor(
    private readonly parts: Parts,
    private readonly sender: string,
    readonly nic: string,
  ) {}

  static async prepare(plan: Plan): Promise<TestBench> {
    const bench = await TestBench.set(plan);
    bench.follow(plan);
    return bench;
  }

  /** Ready for any plan. */
  static async set(parts: Parts): Promise<TestBench> {
    const nic = takeNic(0);
    const sender = findInterface(senderMac).name;
    await bringUpQuiet(sender);
    await prioritiseReceive(sender, receivePriority);
    liftRealTimeThrottling(dpdkCpu);
    postponeStatistics();
    return new TestBench(parts, sender, nic);
  }

  /** From now on its traffic is this plan's. */
  follow(plan: Plan): void {
    this.#plan = plan;
  }

  private get plan(): Plan {
    if (!this.#plan) throw new Error('nothing is planned yet');
    return this.#plan;
  }

  /** A host on which nobody has set anything but the NIC's driver: for no figures. */
  static untuned(plan: Plan): TestBench {
    const bench = new TestBench(plan, findInterface(senderMac).name, takeNic(0));
    bench.follow(plan);
    return bench;
  }

  /** The nth guest, on the nth NIC: see `takeNic`. */
  async startGuest(
    { nic, nth } = { nic: this.nic, nth: 0 },
    size: Partial<typeof smallGuest & { isPinned: boolean; pvSpinlocks: boolean }> = {},
  ): Promise<GuestMachine> {
    const { kernel, guestInitramfs, turns } = this.parts;
    const folder = `/run/lab/guest-${nic}`;
    mkdirSync(folder, { recursive: true });
    const beside = turns
      ? spawn('taskset', ['-c', String(housekeepingCpu), turns], { stdio: 'ignore' })
      : null;
    try {
      return await GuestMachine.start({
        kernel,
        initramfs: guestInitramfs,
        nic,
        nth,
        folder,
        ...size,
      });
    } finally {
      beside?.kill();
    }
  }

  async startDataplane(
    guest: GuestMachine,
    options: Pick<DataplaneOptions, 'promiscuous'> = {},
  ): Promise<LabDataplane> {
    const { idleThreshold } = this.plan;
    const program = 'vmcall-dataplane';
    return GuestDataplane.start(guest, { program, policy: 'interrupt', idleThreshold, ...options });
  }

  /** As on any host: agents on both sides, and from now on the host agent sets the switches. */
  async startControlPlane(
    guest: GuestMachine,
    say: (text: string) => void,
  ): Promise<{ plane: ControlPlane; dataplane: LabDataplane }> {
    const { idleThreshold, programs } = this.parts;
    const options = { programs, idleThreshold, interval: quietInterval, say };
    this.#plane = await ControlPlane.start(guest, options);
    return { plane: this.#plane, dataplane: await GuestDataplane.attach(guest, filePrefix) };
  }

  /** On the host itself: interrupt mode in two halves of the packets, the CPU handed back, and polling. */
  async native(): Promise<void> {
    const { dataplane: folder, idleThreshold, packets } = this.plan;
    const options = { program: 'vmcall-dataplane', policy: 'interrupt' as const, idleThreshold };
    const dataplane = await NativeDataplane.start(folder, this.nic, options);
    try {
      steerVfioInterrupts(this.nic, dpdkCpu);
      for (const [index, half] of [Math.ceil(packets / 2), Math.floor(packets / 2)].entries())
        emit(await this.#round('native-interrupt', 'latency', index, { packets: half }, dataplane));
      await dataplane.setIdleThreshold(0);
      const traffic = { packets: accountingPackets, busyCpu: dpdkCpu };
      emit(await this.#round('native-interrupt', 'handback', 0, traffic, dataplane));
      await dataplane.setPolicy('poll');
      emit(await this.#round('native-poll', 'latency', 0, { packets: referencePackets }, dataplane));
    } finally {
      await dataplane.stop();
    }
  }

  async l3fwdPower(guest: GuestMachine): Promise<void> {
    throwSwitch(guest, { irqfdHardirq: false, vcpuYield: false });
    const stop = await startL3fwdPower(guest);
    steerVfioInterrupts(this.nic, dpdkCpu);
    emit(
      await this.#round('l3fwd-power', 'latency', 0, {
        packets: referencePackets,
        destinationIp: l3fwdDestination,
        interval: l3fwdInterval,
      }),
    );
    await stop();
  }

  /** Switches to a path; at each moment the packets have a path that works. */
  async switchTo(
    guest: GuestMachine,
    dataplane: LabDataplane,
    path: GuestPath,
    nic = this.nic,
  ): Promise<void> {
    if (this.#plane) {
      await this.#plane.switchTo(path.name);
    } else {
      if (path.kvm.vcpuYield) throwSwitch(guest, path.kvm);
      await dataplane.setPolicy(path.policy);
      if (!path.kvm.vcpuYield) throwSwitch(guest, path.kvm);
    }
    steerVfioInterrupts(nic, dpdkCpu);
  }

  async latency(
    guest: GuestMachine,
    dataplane: LabDataplane,
    path: GuestPath,
    index: number,
    packets: number,
  ): Promise<void> {
    await this.switchTo(guest, dataplane, path);
    const before = await vcpuCounters(guest);
    const round = await this.#round(path.name, 'latency', index, { packets }, dataplane);
    emit({ ...round, kvm: increase(before, await vcpuCounters(guest)) });
  }

  /** Exits and injections, from KVM's tracepoints. */
  async accounting(guest: GuestMachine, dataplane: LabDataplane, path: GuestPath): Promise<void> {
    await this.switchTo(guest, dataplane, path);
    const traffic = { packets: accountingPackets };
    const { result, exits, injections, messages } = await tallied(() =>
      this.#round(path.name, 'accounting', 0, traffic, dataplane),
    );
    const total = (tally: typeof exits, key: string, mine: (keys: Record<string, string>) => boolean) =>
      Object.fromEntries(
        tally.filter(({ keys }) => mine(keys)).map(({ keys, count }) => [keys[key] ?? '?', count]),
      );
    emit({
      ...result,
      trace: {
        exits: total(exits, 'exit_reason', (keys) => Number(keys.vcpu_id) === dpdkVcpu),
        injected: total(injections, 'vector', (keys) => Number(keys.common_pid) === guest.dpdkThread),
        messages,
      },
    });
  }

  /** Where a packet's time goes between the device and the sender; tracing adds to it, so no latency is quoted. */
  async stages(guest: GuestMachine, dataplane: LabDataplane, path: GuestPath): Promise<void> {
    await this.switchTo(guest, dataplane, path);
    const stations = { nic: this.nic, vcpu: dpdkVcpu, thread: guest.dpdkThread, sender: this.sender };
    const times = await traced(() => this.burst({ packets: stagePackets }), stations, this.plan.tscKhz);
    emit({ type: 'stages', path: path.name, stages: stageNames.map((name) => ({ name, ns: times[name] })) });
  }

  /** The CPU that a busy process of the lowest priority gets beside the program. */
  async handback(guest: GuestMachine, dataplane: LabDataplane, path: GuestPath): Promise<void> {
    await this.switchTo(guest, dataplane, path);
    emit(
      await this.#round(
        path.name,
        'handback',
        0,
        { packets: accountingPackets, busyCpu: dpdkCpu },
        dataplane,
      ),
    );
  }

  /** One burst of the plan's traffic, or of another `pattern`. */
  async burst(traffic: Pick<Traffic, 'packets'> & Partial<Traffic>) {
    return this.traffic(traffic).ended;
  }

  /** The same, flowing meanwhile, until it is stopped. */
  traffic(traffic: Pick<Traffic, 'packets'> & Partial<Traffic>) {
    const { generator, interval, seed } = this.plan;
    return startTraffic(generator, { interface: this.sender, interval, seed, late: interval, ...traffic });
  }

  async #round(
    path: PathName,
    pass: Pass,
    index: number,
    traffic: Pick<Traffic, 'packets'> & Partial<Traffic>,
    dataplane?: LabDataplane,
  ): Promise<Round> {
    await dataplane?.reset();
    const { idleThreshold, seed } = this.plan;
    const generator = await this.burst({ ...traffic, samples, quiet: idleThreshold, seed: seed + index });
    const round: Round = { type: 'round', path, pass, index, generator };
    if (pass === 'latency') round.course = courseOf(readText(samples));
    if (!dataplane) return round;
    round.dataplane = await dataplane.counters();
    const { rx = 0 } = round.dataplane;
    if (rx < generator.received)
      throw new Error(
        `${path}: the dataplane has counted ${rx} packets; ${generator.received} came back from it`,
      );
    if (path === 'vmcall') round.wakeLatency = await dataplane.histogram();
    return round;
  }
}
