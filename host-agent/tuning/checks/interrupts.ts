// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../../host/host.js';
import { deviceInterrupts, readInterrupt } from '../../host/interrupts.js';
import { formatScheduling, schedulingRank } from '../../host/scheduling.js';
import type { Thread } from '../../host/thread.js';
import { driverOf, isVfio } from '../../host/vfio-devices.js';
import { bootParameters } from '../boot.js';
import { formatCpus, parseCpus, without } from '../cpu-set.js';
import type { TunedDomainFacts } from '../domain.js';
import { nicThreads } from '../knobs/vcpu-scheduler.js';
import { setScheduling, writeAffinities } from '../shell.js';
import { othersThatRelyOnThrottling } from '../starvation.js';
import { isDecided, ordinaryCpus, type Target } from '../target.js';
import { type Finding, fail, ok, warn } from './finding.js';

/** Where interrupts go, who starves whom, and who delays them. Affinity itself is a knob. */
export function checkInterrupts(host: Host, target: Target): Finding[] {
  return [
    ...inversions(host, target),
    ...othersInversions(host, target),
    ...strangers(host, target),
    ...throttling(host, target),
  ];
}

/**
 * A real-time vCPU that spins for a packet on the CPU of its NIC's interrupt thread, at or above the thread's
 * priority, waits for good: FIFO lets the thread run only when the vCPU blocks (man sched(7)).
 */
function inversions(host: Host, target: Target): Finding[] {
  const { facts } = target;
  if (!facts) return [];
  const threads = nicThreads(host, target);
  const starved = target.dpdk.flatMap(({ vcpu, cpu }) => {
    const seen = facts.vcpus.find((entry) => entry.vcpu === vcpu);
    if (!seen || schedulingRank(seen.scheduling) === 0) return [];
    return threads
      .filter(({ scheduling }) => schedulingRank(scheduling) <= schedulingRank(seen.scheduling))
      .filter(
        (thread) => parseCpus(thread.cpus).includes(cpu) || target.nics.some((nic) => nic.cpus.includes(cpu)),
      )
      .map((thread) => ({ seen, thread }));
  });
  if (starved.length === 0)
    return [ok('priority-inversion', 'no real-time vCPU stands at or above its NIC’s interrupt thread')];
  return starved.map(({ seen, thread }) => ({
    ...fail(
      'priority-inversion',
      `vCPU ${seen.vcpu} (${formatScheduling(seen.scheduling)}) starves ${thread.name} (${formatScheduling(thread.scheduling)}), whose interrupt it waits for, whenever it polls`,
      cureOf(seen, thread, target),
    ),
    undo: undoOf(seen, thread, target),
  }));
}

/** Another VM's: no harm to this one, but what keeps the limit on real-time tasks in force. */
function othersInversions(host: Host, target: Target): Finding[] {
  if (!target.facts || target.cpus.length === 0) return [];
  return othersThatRelyOnThrottling(host, target).map(({ vcpu: { vm, vcpu, thread: own }, thread }) => {
    const below = schedulingRank(thread.scheduling);
    const [cured, to] = below < 2 ? [thread, 50] : [own, Math.min(10, below - 1)];
    return {
      ...warn(
        'throttling-needed',
        `vCPU ${vcpu} of ${vm.name} (${formatScheduling(own.scheduling)}) stands at or above ${thread.name} (${formatScheduling(thread.scheduling)}) of its own NIC: the limit on real-time tasks stays, which is the whole host’s`,
        `chrt --fifo --pid ${to} ${cured.id}`,
      ),
      undo: setScheduling(cured),
    };
  });
}

type Vcpu = TunedDomainFacts['vcpus'][number];

/** What `vmcall tune apply` can put below: not a deadline, and not below what nothing is below of. */
const isTunable = ({ scheduling }: Vcpu, thread: Thread, target: Target) =>
  isDecided(target) && schedulingRank(thread.scheduling) >= 2 && schedulingRank(scheduling) < 100;

function cureOf(seen: Vcpu, thread: Thread, target: Target): string {
  const below = schedulingRank(thread.scheduling);
  if (below < 2)
    return `chrt --fifo --pid 50 ${thread.id}  # as the kernel had it: no real-time vCPU can stand below it now`;
  const inDomain = `<vcpusched vcpus="${seen.vcpu}" scheduler="fifo" priority="10"/> in the domain`;
  return isTunable(seen, thread, target)
    ? `${target.apply}  # puts it below, or have ${inDomain}; below even with the non-threaded handler, for storms fall back to the thread`
    : `chrt --fifo --pid ${Math.min(10, below - 1)} ${seen.thread}  # and for good ${inDomain}`;
}

function undoOf(seen: Vcpu, thread: Thread, target: Target): string {
  if (schedulingRank(thread.scheduling) < 2) return setScheduling(thread);
  if (isTunable(seen, thread, target)) return 'vmcall tune restore';
  if (seen.scheduling.policy === 'deadline')
    return 'Start the domain again: no command gives a deadline back.';
  return setScheduling({ id: seen.thread, scheduling: seen.scheduling });
}

const shown = 8;

/** Interrupts of other devices that go to a DPDK CPU. */
function strangers(host: Host, target: Target): Finding[] {
  const { cpus, nics } = target;
  if (cpus.length === 0) return [];
  const own = new Set(nics.flatMap(({ address }) => deviceInterrupts(host, address)).map(({ irq }) => irq));
  const found = host
    .names('/proc/irq')
    .map(Number)
    .filter((irq) => Number.isInteger(irq) && !own.has(irq))
    .map((irq) => readInterrupt(host, irq))
    .filter((interrupt) => interrupt !== null)
    .filter(
      ({ action, effective }) =>
        action !== '' &&
        // A legacy interrupt of the NIC's is no MSI: `vfio-intx(0000:81:00.0)`.
        !nics.some(({ address }) => action.includes(`(${address})`)) &&
        parseCpus(effective).some((cpu) => cpus.includes(cpu)),
    );
  if (found.length === 0)
    return [ok('other-interrupts', `no other device interrupts CPU ${formatCpus(cpus)}`)];
  const names = found.slice(0, shown).map(({ irq, action }) => `${irq} ${action}`);
  return [
    {
      ...warn(
        'other-interrupts',
        `interrupts of other devices go to CPU ${formatCpus(cpus)}: ${names.join(', ')}${found.length > shown ? ` and ${found.length - shown} more` : ''}`,
        `${writeAffinities(found, ({ affinity }) => formatCpus(elsewhere(affinity, target)))}  # for good: boot with irqaffinity=${formatCpus(ordinaryCpus(target))} and isolcpus=managed_irq,domain,${formatCpus(cpus)}`,
      ),
      undo: writeAffinities(found, ({ affinity }) => affinity),
    },
  ];
}

/** Where it may go already beside DPDK's CPUs; else where ordinary work is. */
function elsewhere(affinity: string, target: Target): number[] {
  const left = without(parseCpus(affinity), target.cpus);
  return left.length > 0 ? left : ordinaryCpus(target);
}

/** Throttling that no runtime knob shows: on vfio-pci it is the guest's, in e1000e a module parameter's. */
function throttling(host: Host, { nics }: Target): Finding[] {
  return nics.flatMap(({ address }) => {
    const driver = driverOf(host, address);
    if (isVfio(host, address))
      return [
        ok(
          'throttling',
          `${address} is on ${driver}: the DPDK program in the guest has its EITR, and clears it`,
        ),
      ];
    const unreadable = host
      .names(`/sys/bus/pci/devices/${address}/net`)
      .filter((name) => host.coalescing(name) === null);
    if (unreadable.length === 0) return [];
    const parameter = throttleParameter(host, driver);
    if (parameter !== null)
      return [ok('throttling', `${driver}: InterruptThrottleRate=${parameter} is configured`)];
    return [
      warn(
        'throttling',
        `${address} (${unreadable.join(', ')}, ${driver}): whether it throttles interrupts cannot be read`,
        driver === 'e1000e'
          ? 'apt-get install ethtool  # or load e1000e with InterruptThrottleRate=0,0'
          : 'apt-get install ethtool  # modinfo tells the driver’s parameters',
      ),
    ];
  });
}

/** linux: drivers/net/ethernet/intel/e1000e/param.c; sysfs does not show it. */
function throttleParameter(host: Host, driver: string): string | null {
  const atBoot = bootParameters(host).get(`${driver}.InterruptThrottleRate`);
  if (atBoot !== undefined) return atBoot;
  const files = host.names('/etc/modprobe.d').filter((name) => name.endsWith('.conf'));
  const lines = files.flatMap((name) => (host.read(`/etc/modprobe.d/${name}`) ?? '').split('\n'));
  const options = lines.filter((line) => line.trim().startsWith(`options ${driver} `)).join(' ');
  return /InterruptThrottleRate=(\S+)/.exec(options)?.[1] ?? null;
}
