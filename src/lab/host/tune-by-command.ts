// SPDX-License-Identifier: Apache-2.0
import { formatCpus } from '../../../host-agent/tuning/cpu-set.js';
import { TuningKeeper } from '../../../host-agent/tuning/upkeep/keeper.js';
import { createLog } from '../../support/log.js';
import type { TuneRestart, TuneSteps } from '../events.js';
import type { Plan } from '../plan.js';
import { run, writeText } from './commands.js';
import { dpdkCpu, dpdkVcpu } from './cpus.js';
import type { LabDataplane } from './dataplane.js';
import { domainName, domainUuid } from './domain-xml.js';
import { emit } from './events.js';
import type { GuestMachine } from './guest-machine.js';
import { tuning } from './knobs.js';
import { libvirtUri } from './libvirtd.js';
import type { Steps } from './steps.js';
import { TestBench } from './test-bench.js';
import { tuningInForce } from './tuning-in-force.js';

export const tuneByCommandStepCount = 5;

/** ns (linux: arch/x86/include/asm/kvm_host.h, KVM_HALT_POLL_NS_DEFAULT); the lab's host boots without. */
const haltPollDefault = '200000';

/** `vmcall tune` by an administrator, on a domain of libvirt that nobody tuned: planned, applied, again, restored, twice. */
export async function tuneByCommand(plan: Plan, steps: Steps): Promise<void> {
  const bench = TestBench.untuned(plan);
  writeText('/sys/module/kvm/parameters/halt_poll_ns', haltPollDefault);
  const guest = await steps.take('booting a guest that is pinned nowhere, by libvirt', () =>
    bench.startGuest(undefined, { isPinned: false }),
  );
  const program = await steps.take("the guest's program", () => bench.startDataplane(guest));
  for (const time of ['first', 'second'])
    await steps.take(`plan, apply, plan, restore, the ${time} time`, async () =>
      emit(await cycle(guest, plan)),
    );
  await steps.take("restarting the guest's program, then the guest, whose tuning is kept", async () =>
    emit(await restart(bench, guest, program, plan)),
  );
}

const record = ['--state', '/run/lab/tuning', '--connect', libvirtUri];
const target = [domainName, '--pin', `${dpdkVcpu}=${dpdkCpu}`];

async function tune({ programs }: Plan, verb: string, ...words: string[]): Promise<unknown> {
  const command = [process.execPath, `${programs}/vmcall.js`, 'tune', verb, '--json', ...words];
  // It ends with 1 where a change was refused, and says which.
  return JSON.parse(await run('sh', '-c', '"$@" || [ $? = 1 ]', 'sh', ...command));
}

/** The NIC's interrupts before, as they are when DPDK has restarted, and as the host agent's keeper leaves them. */
async function restart(
  bench: TestBench,
  guest: GuestMachine,
  program: LabDataplane,
  plan: Plan,
): Promise<TuneRestart> {
  await tune(plan, 'apply', ...target, ...record);
  const keeper = new TuningKeeper({
    host: tuning.host,
    state: '/run/lab/tuning',
    intervalMs: 60_000,
    log: createLog('keeper'),
  });
  await keeper.look();
  const applied = await interruptsOf(guest);
  await program.stop();
  const anew = await bench.startDataplane(guest);
  const lost = await interruptsOf(guest);
  await keeper.look();
  const kept = await interruptsOf(guest);
  const status = keeper.status(domainUuid) ?? null;
  await anew.stop();
  await guest.stop();
  keeper.kick(domainUuid);
  await keeper.look();
  const again = await guest.startAgain();
  await bench.startDataplane(again);
  const { settings: guestBegun } = await tuningInForce(again);
  keeper.kick(domainUuid);
  await keeper.look();
  const { settings: guestKept } = await tuningInForce(again);
  const guestPlanned = await tune(plan, 'plan', ...target);
  await keeper.stop();
  await tune(plan, 'restore', ...record);
  await again.stop();
  return { type: 'tune-restart', applied, lost, kept, status, guestBegun, guestKept, guestPlanned };
}

/** By place: the CPUs that each of the NIC's interrupts may go to. */
async function interruptsOf(guest: GuestMachine): Promise<Record<string, string>> {
  const { settings } = await tuningInForce(guest);
  return Object.fromEntries(Object.entries(settings).filter(([place]) => place.startsWith('irq-affinity ')));
}

async function cycle(guest: GuestMachine, plan: Plan): Promise<TuneSteps> {
  const before = await settingsOf(guest);
  const planned = await tune(plan, 'plan', ...target);
  const applied = await tune(plan, 'apply', ...target, ...record);
  const tuned = await settingsOf(guest);
  const plannedAgain = await tune(plan, 'plan', ...target);
  const restored = await tune(plan, 'restore', ...record);
  const after = await settingsOf(guest);
  return { type: 'tune', planned, applied, plannedAgain, restored, before, tuned, after };
}

/** As the threads and files are, and as libvirt says that they are. */
async function settingsOf(guest: GuestMachine): Promise<Record<string, string>> {
  const { settings } = await tuningInForce(guest);
  const domain = await guest.domain();
  const vcpus = await domain.vcpuPins();
  return {
    ...settings,
    'libvirt vcpu': formatCpus(vcpus[dpdkVcpu] ?? []),
    'libvirt emulator': formatCpus(await domain.emulatorPin()),
  };
}
