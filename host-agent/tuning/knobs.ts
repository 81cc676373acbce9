// SPDX-License-Identifier: Apache-2.0
import type { Knob } from './knob.js';
import { emulatorPin } from './knobs/emulator-pin.js';
import { haltPoll } from './knobs/halt-poll.js';
import { interruptThrottling } from './knobs/interrupt-throttling.js';
import { irqAffinity } from './knobs/irq-affinity.js';
import { resumeLatency } from './knobs/resume-latency.js';
import { rtThrottling } from './knobs/rt-throttling.js';
import { vcpuPin } from './knobs/vcpu-pin.js';
import { vcpuScheduler } from './knobs/vcpu-scheduler.js';
import { vfioHardirq } from './knobs/vfio-hardirq.js';

/**
 * Every knob, in the order of applying. Threads get their places before interrupts follow them, and real-time
 * throttling goes last, when no vCPU stands above an interrupt thread any more.
 */
export const knobs: readonly Knob[] = [
  emulatorPin,
  vcpuPin,
  irqAffinity,
  interruptThrottling,
  resumeLatency,
  haltPoll,
  vfioHardirq,
  vcpuScheduler,
  rtThrottling,
];

export const knobNamed = (name: string): Knob | undefined => knobs.find((knob) => knob.name === name);
