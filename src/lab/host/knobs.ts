// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { FileHost } from '../../../host-agent/host/host.js';
import { SystemCommands } from '../../../host-agent/host/host-commands.js';
import { formatScheduling } from '../../../host-agent/host/scheduling.js';
import { fairServerFile, setFairServer } from '../../../host-agent/tuning/fair-server.js';
import type { Knob } from '../../../host-agent/tuning/knob.js';
import { haltPoll } from '../../../host-agent/tuning/knobs/halt-poll.js';
import { irqAffinity } from '../../../host-agent/tuning/knobs/irq-affinity.js';
import { vcpuScheduler } from '../../../host-agent/tuning/knobs/vcpu-scheduler.js';
import { vfioHardirq } from '../../../host-agent/tuning/knobs/vfio-hardirq.js';
import { QemuProcesses } from '../../../host-agent/tuning/qemu-process.js';
import { resolveTarget } from '../../../host-agent/tuning/target.js';
import { knobsAt, type LabKnobName } from '../knobs.js';
import type { ProgramPlace } from '../table-events.js';
import { readText, run, schedule, writeText } from './commands.js';
import { dpdkCpu, dpdkVcpu, housekeepingCpu, vcpuPriority } from './cpus.js';
import type { LabDataplane } from './dataplane.js';
import type { GuestMachine } from './guest-machine.js';
import { throwSwitch } from './kvm.js';

/** What the knobs turn: a DPDK program with its NIC, on the host (a process) or in a guest. */
export interface Tunable {
  place: ProgramPlace;
  dataplane: LabDataplane;
  /** On the host; its PCI address. */
  nic: string;
  guest?: GuestMachine;
  /** Of the program on the host. */
  pid?: number;
}

/** One knob of the lab: `apply` tunes, `restore` makes it as an untuned host has it. */
export interface LabKnob {
  name: LabKnobName;
  apply(on: Tunable): Promise<void>;
  restore(on: Tunable): Promise<void>;
}

const host = new FileHost('/', new SystemCommands());
/** This host, as `vmcall tune` sees it. */
export const tuning = { host, domains: new QemuProcesses(host) };

/** A knob of `vmcall tune`, with what its places have on an untuned host. */
function tuneKnob(name: LabKnobName, knob: Knob, untuned: string): LabKnob {
  const settings = async ({ guest, nic }: Tunable) => {
    const target = await resolveTarget(host, {
      domain: guest ? await tuning.domains.find(String(guest.pid)) : null,
      pins: new Map(guest ? [[dpdkVcpu, dpdkCpu]] : []),
      nics: new Map([[nic, dpdkCpu]]),
      cpus: guest ? [] : [dpdkCpu],
      maxExitLatency: null,
    });
    return knob.settings(tuning, target);
  };
  return {
    name,
    apply: async (on) => {
      for (const { place, wanted } of await settings(on)) await knob.write(tuning, place, wanted);
    },
    restore: async (on) => {
      for (const { place } of await settings(on)) await knob.write(tuning, place, untuned);
    },
  };
}

/** The kernel's defaults (linux: kernel/sched/rt.c; kernel/sched/deadline.c, fair server; KVM_DEFAULT_HALT_POLL_NS). */
const haltPollDefault = '200000';
const rtRuntime = { file: '/proc/sys/kernel/sched_rt_runtime_us', untuned: '950000', tuned: '-1' };
const fairServer = {
  file: fairServerFile(dpdkCpu),
  untuned: '50000000',
  tuned: '0',
};

/** EITR of vector 1, which is RX queue 0's; in units of 256 ns (82574 datasheet, 10.2.4.3). */
const eitr = 0xec;
const halfMillisecond = Math.round(500_000 / 256);

async function setEitr({ guest, nic }: Tunable, value: number): Promise<void> {
  if (guest) {
    const answer = await guest.supervise(`poke ${eitr}=${value}`);
    if (answer !== 'poked 0') throw new Error(`the guest cannot write EITR: ${answer}`);
    return;
  }
  const base = Number(readText(`/sys/bus/pci/devices/${nic}/resource`).split(' ')[0]);
  await run('busybox', 'devmem', String(base + eitr), '32', String(value));
}

const interruptThrottling: LabKnob = {
  name: 'interrupt-throttling',
  apply: (on) => setEitr(on, 0),
  restore: (on) => setEitr(on, halfMillisecond),
};

const programScheduler: LabKnob = {
  name: 'program-scheduler',
  apply: async ({ pid }) => (pid === undefined ? undefined : schedule(pid, dpdkCpu, vcpuPriority)),
  restore: async ({ pid }) => (pid === undefined ? undefined : schedule(pid, dpdkCpu, 0)),
};

/**
 * Only the one that throttles on this kernel: since 6.12 that is the fair server, and once it was changed on an
 * isolated CPU the kernel refuses (EBUSY) to have the older limit set again and again.
 */
const throttle = existsSync(fairServer.file) ? fairServer : rtRuntime;
const setThrottle = (value: string) =>
  throttle === fairServer ? setFairServer(host, throttle.file, value) : writeText(throttle.file, value);
const rtThrottling: LabKnob = {
  name: 'rt-throttling',
  apply: async () => setThrottle(throttle.tuned),
  restore: async () => setThrottle(throttle.untuned),
};

/** Packets have a path that works at each moment: the yield is allowed before it is used. */
const vmCall: LabKnob = {
  name: 'vm-call',
  apply: async ({ guest, dataplane }) => {
    if (guest) throwSwitch(guest, { ...switches(guest), vcpuYield: true });
    await dataplane.setPolicy('vmcall');
  },
  restore: async ({ guest, dataplane }) => {
    await dataplane.setPolicy('interrupt');
    if (guest) throwSwitch(guest, { ...switches(guest), vcpuYield: false });
  },
};

const switches = (guest: GuestMachine) => ({
  irqfdHardirq: readText(`${guest.kvmFolder}/irqfd_hardirq`) !== '0',
});

const knobs: Record<LabKnobName, LabKnob> = {
  'interrupt-throttling': interruptThrottling,
  'irq-affinity': tuneKnob('irq-affinity', irqAffinity, String(housekeepingCpu)),
  'program-scheduler': programScheduler,
  'vcpu-scheduler': tuneKnob(
    'vcpu-scheduler',
    vcpuScheduler,
    formatScheduling({ policy: 'other', priority: 0 }),
  ),
  'rt-throttling': rtThrottling,
  'halt-poll': tuneKnob('halt-poll', haltPoll, haltPollDefault),
  'vfio-hardirq': tuneKnob('vfio-hardirq', vfioHardirq, '0'),
  'vm-call': vmCall,
};

/** Puts exactly these knobs in force. The last first: the path is chosen before its interrupts are steered. */
export async function tune(on: Tunable, wanted: readonly LabKnobName[]): Promise<void> {
  for (const name of knobsAt(on.place).reverse())
    await (wanted.includes(name) ? knobs[name].apply(on) : knobs[name].restore(on));
}
