// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { defaultMetricsPort } from '../../../host-agent/configuration.js';
import type { ObservedLook } from '../events.js';
import { readText, run } from './commands.js';
import type { ControlPlane } from './control-plane.js';
import type { GuestMachine } from './guest-machine.js';
import type { TestBench } from './test-bench.js';

const loopback = '127.0.0.1';
const metricsSection = `\n[metrics]\naddress = "${loopback}"\n`;
/** Between two scrapes, and for how long what they wait for may take, ms of the lab's clock. */
const lookMs = 200;
const patienceMs = 120_000;

/**
 * What observers are shown, beside KVM's own counters: `/metrics` before and after a burst on the VM-call path,
 * and `vmcall top` after it.
 */
export async function observed(
  plane: ControlPlane,
  guest: GuestMachine,
  bench: TestBench,
  options: { packets: number },
): Promise<{ packets: number; before: ObservedLook; after: ObservedLook; top: unknown }> {
  await run('ip', 'link', 'set', 'lo', 'up');
  plane.reconfigure({ measure: false }, metricsSection);
  const { metrics: quiet } = await look(guest, () => true);
  plane.reconfigure({ measure: true }, metricsSection);
  await plane.switchTo('vmcall');
  const before = await look(guest, (metrics) => sum(metrics, reports) > sum(quiet, reports));
  const { sent, warmup } = await bench.burst({ packets: options.packets });
  const packets = sent + warmup;
  const received = sum(before.metrics, packetsIn) + packets;
  const yields = sum(before.metrics, kvmYields);
  // Setting the path, though it is reached already, has the domain checked.
  await plane.switchTo('vmcall');
  const after = await look(
    guest,
    (metrics) => sum(metrics, packetsIn) >= received && sum(metrics, kvmYields) > yields,
  );
  const top: unknown = JSON.parse(await plane.vmcall('top', '--json', '--iterations', '1'));
  await plane.switchTo('injected');
  return { packets, before, after, top };
}

const reports = 'vmcall_guest_reports_total';
const packetsIn = 'vmcall_received_packets_total';
const kvmYields = 'vmcall_kvm_yields_total';

/** Scrapes until it is so. */
async function look(
  guest: GuestMachine,
  isSo: (metrics: ObservedLook['metrics']) => boolean,
): Promise<ObservedLook> {
  const until = performance.now() + patienceMs;
  let seen: unknown;
  while (performance.now() < until) {
    try {
      const metrics = await scrape();
      seen = metrics;
      if (isSo(metrics)) return { metrics, kvm: kvmCounters(guest) };
    } catch (error) {
      // It listens only once it has read its configuration again.
      seen = error;
    }
    await delay(lookMs);
  }
  const what = seen instanceof Error ? seen.message : JSON.stringify(seen);
  throw new Error(`/metrics did not show within ${patienceMs / 1000} s of the lab's clock: ${what}`);
}

const kvmCounters = ({ kvmFolder }: GuestMachine): ObservedLook['kvm'] => ({
  yields: Number(readText(`${kvmFolder}/vcpu_yields`)),
  rings: Number(readText(`${kvmFolder}/doorbell_rings`)),
});

/** Our own series by their names and labels, those of the histogram's buckets left out. */
async function scrape(): Promise<ObservedLook['metrics']> {
  const response = await fetch(`http://${loopback}:${defaultMetricsPort}/metrics`);
  const lines = (await response.text()).split('\n').filter((line) => /^vmcall_(?!\w+_bucket\{)/.test(line));
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

/** Of all series of a name. */
function sum(metrics: ObservedLook['metrics'], name: string): number {
  return Object.entries(metrics)
    .filter(([series]) => series.startsWith(`${name}{`))
    .reduce((total, [, value]) => total + value, 0);
}
