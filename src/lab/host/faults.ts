// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { VmcallError } from '../../support/errors.js';
import type { Fault } from '../events.js';
import { type Plan, type SwitchStage, switchStages, type Victim, victims } from '../plan.js';
import { readText } from './commands.js';
import type { ControlPlane } from './control-plane.js';
import { dpdkCpu } from './cpus.js';
import { emit } from './events.js';
import { FaultWatch, isReached } from './fault-watch.js';
import { countedWhile, flowing } from './flow.js';
import type { GuestMachine } from './guest-machine.js';
import { steerVfioInterrupts } from './nic.js';
import { RunMeanwhile } from './run-meanwhile.js';
import type { Standing } from './standing.js';
import type { Steps } from './steps.js';
import type { TestBench } from './test-bench.js';

/** In stages' order: the first are the quickest. */
const all = victims.flatMap((victim) => switchStages.map((stage) => ({ victim, stage })));

export const faultsStepCount = ({ faults: wanted = all }: Plan): number => wanted.length + 1;

/** Packets are counted for so long, ms of the lab's clock: some hundred and fifty. */
const windowMs = 50;
/** As in the units of both agents, RestartSec, ms. */
const restartMs = 1_000;
const wishMs = 100;
/** More than are sent while one is away; no latency is judged, so whoever starts again may have the sender's CPU. */
const flow = { packets: 1_000_000, spin: 0 };

/** Of the processes in the guest. */
const guestPrograms = { 'guest-agent': basename(process.execPath), dataplane: 'vmcall-dataplane' } as const;

/** Kills each of those on whom the VM call depends, while packets flow, at each stage of a switch to it. */
export async function faults(plan: Plan, steps: Steps, standing: Standing): Promise<void> {
  const { faults: wanted = all } = plan;
  const { bench, guest, plane } = standing;
  plane.reconfigure({ interval: 10 });
  const scene = new FaultScene(bench, plane, guest, (text) => steps.say(text));
  for (const { victim, stage } of wanted)
    await steps.take(`${victim} killed ${stage} a switch`, async () => {
      const fault = await scene.fault(victim, stage);
      emit(fault);
    });
  await steps.take('stopping the guest', () => scene.stop());
}

class FaultScene {
  constructor(
    private readonly bench: TestBench,
    private readonly plane: ControlPlane,
    private guest: GuestMachine,
    private readonly say: (text: string) => void,
  ) {}

  async stop(): Promise<void> {
    await this.guest.stop();
  }

  async fault(victim: Victim, stage: SwitchStage): Promise<Fault> {
    const { bench, plane } = this;
    await plane.switchTo(stage === 'after' ? 'vmcall' : 'injected');
    steerVfioInterrupts(bench.nic, dpdkCpu);
    const run = stage === 'after' ? await RunMeanwhile.start(plane, victim) : undefined;
    let traffic = bench.traffic(flow);
    await flowing(bench.nic);
    await run?.reported();
    if (stage === 'middle') await this.#beginSwitch();
    const found = await this.#found();

    const watch = new FaultWatch(plane);
    await this.#kill(victim);
    if (stage === 'middle' && victim !== 'guest-agent' && victim !== 'qemu')
      await this.#signal('CONT', 'guest-agent');
    const isTrafficOff = victim === 'dataplane' || victim === 'qemu';
    const away = isTrafficOff ? null : await countedWhile(this.guest, bench.nic, () => delay(windowMs));
    const ended = async () => {
      traffic.stop();
      return traffic.ended;
    };
    let generator: Fault['generator'] | undefined;
    if (victim === 'qemu') {
      await watch.until('the domain is off', ({ actual }) => actual === 'off');
      generator = await ended();
      this.say('the domain is off');
    }
    await Promise.all([
      this.#restore(victim),
      stage === 'before' ? this.#desire() : undefined,
      // What was reported before the kill was seen is no recovery.
      watch.until(
        'the VM call is back',
        (now, told) => isReached(now) && told.some((then) => !isReached(then)),
      ),
    ]);
    const took = watch.elapsed;
    this.say(`the VM call is back after ${Math.round(took)} ms`);
    steerVfioInterrupts(bench.nic, dpdkCpu);
    if (generator) {
      traffic = bench.traffic(flow);
      await flowing(bench.nic);
    }
    const back = await countedWhile(this.guest, bench.nic, () => delay(windowMs));
    const last = await ended();
    // Nobody who measures died with libvirtd.
    if (victim === 'libvirtd') run?.interrupt();
    return {
      type: 'fault' as const,
      victim,
      stage,
      found,
      told: watch.told,
      away,
      took,
      back,
      generator: generator ?? last,
      afterBoot: generator ? last : null,
      run: (await run?.ended()) ?? null,
    };
  }

  /** To the moment at which KVM allows the call, and the guest agent, held, has not answered yet. */
  async #beginSwitch(): Promise<void> {
    await this.#signal('STOP', 'guest-agent');
    await this.plane.desire('vmcall');
    await this.plane.until(
      'KVM allows the VM call',
      ({ kvm }) => kvm.vcpu_yield === true && kvm.irqfd_hardirq === true,
    );
  }

  async #found(): Promise<Fault['found']> {
    const { guest } = await this.plane.status();
    const vcpuYield = readText(`${this.guest.kvmFolder}/vcpu_yield`) === '1';
    return { vcpuYield, path: guest?.health?.path ?? null };
  }

  async #kill(victim: Victim): Promise<void> {
    switch (victim) {
      case 'guest-agent':
      case 'dataplane':
        return this.#signal('KILL', victim);
      case 'host-agent':
        process.kill(this.plane.hostAgent, 'SIGKILL');
        return;
      case 'libvirtd':
        process.kill(this.guest.libvirtd.pid, 'SIGKILL');
        return;
      case 'qemu':
        process.kill(this.guest.pid, 'SIGKILL');
    }
  }

  /** What systemd does, and for a guest its administrator; those in the guest are started again there. */
  async #restore(victim: Victim): Promise<void> {
    switch (victim) {
      case 'host-agent':
        await delay(restartMs);
        return this.plane.startHostAgent();
      case 'libvirtd':
        await delay(restartMs);
        return this.guest.libvirtd.startAgain();
      case 'qemu':
        this.guest = await this.guest.startAgain();
        return this.plane.startGuestAgent(this.guest);
    }
  }

  async #signal(name: 'STOP' | 'CONT' | 'KILL', program: keyof typeof guestPrograms): Promise<void> {
    const answer = await this.guest.supervise(`signal ${name} ${guestPrograms[program]}`);
    if (answer !== 'signalled 0') throw new Error(`${program} in the guest cannot be signalled: ${answer}`);
  }

  /** As soon as it is taken. */
  async #desire(): Promise<void> {
    for (;;) {
      try {
        return await this.plane.desire('vmcall');
      } catch (error) {
        if (!(error instanceof VmcallError)) throw error;
        await delay(wishMs);
      }
    }
  }
}
