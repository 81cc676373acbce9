// SPDX-License-Identifier: Apache-2.0
// What one guest can cost a real host agent that says and does all that the protocol lets it, as fast as it is let.
import { existsSync } from 'node:fs';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { noWakes } from '../../src/protocol/histogram.js';
import type { Health } from '../../src/protocol/messages.js';
import { encodeHistogram } from '../../src/support/hdr/histogram.js';
import { observe } from '../../src/top/observe.js';
import { basic, RawGuest } from './support/host.js';
import { domain } from './support/host-bench.js';
import { TestHost } from './support/test-host.js';

const host = new TestHost();
const seconds = 12;
const address = '0000:01:00.0';

/** Its own tracefs, as the machine may have mounted none. The kernel has its instances from all mounts. */
const traced = [
  'unshare',
  '--mount',
  'sh',
  '-c',
  'mount -t tracefs tracefs /sys/kernel/tracing; exec "$0" "$@"',
];

/** The VM has a passed-through NIC, whose interrupts would be traced. */
async function passThrough(): Promise<void> {
  const root = host.bench.root;
  const words = ['qemu-system-x86_64', '-uuid', domain.uuid, '-device', `vfio-pci,host=${address}`];
  await writeFile(join(root, 'proc/4711/cmdline'), words.join('\0'));
  await mkdir(join(root, 'sys/bus/pci/devices', address), { recursive: true });
  await symlink('../../../drivers/vfio-pci', join(root, 'sys/bus/pci/devices', address, 'driver'));
  await mkdir(join(root, 'sys/kernel/debug/kvm/4711-12/vcpu0'), { recursive: true });
  await writeFile(join(root, 'sys/kernel/debug/kvm/4711-12/vcpu0/tsc-offset'), '0\n');
}

let number = 0;
const health = (path: Health['path']): Health => ({
  dataplane: 'running',
  wanted: 'injected',
  path,
  upheld: false,
  reason: { code: 'EIO', message: `never said before: ${number++}` },
  idle_threshold_us: 300,
  restarts: 0,
  version: null,
});

/** Connects as it may, and again whenever it is closed; each path, reason and end of a measurement is another one. */
class Hostile {
  #measurement = '';
  #sequence = 0;
  #guest: RawGuest | undefined;
  said = 0;
  sessions = 0;

  constructor(private readonly secret: string) {}

  async connect(): Promise<void> {
    const url = host.bench.guestUrl.href;
    const guest = await RawGuest.connect(url, { authorization: basic(domain.uuid, this.secret) });
    this.sessions++;
    this.#guest = guest;
    guest.hello(domain.uuid, {
      capabilities: ['health', 'measurement', 'path', 'pv-kick', 'wake-times'],
    });
    guest.socket.on('message', (data) => this.#answer(JSON.parse(String(data))));
  }

  #answer({ type, id, method, params }: Record<string, unknown>): void {
    if (type !== 'request') return;
    if (method === 'start-measurement') {
      this.#measurement = (params as { measurement: string }).measurement;
      this.#sequence = 0;
      this.#say({ type: 'result', id, method, result: { path: 'injected' } });
    } else if (method === 'stop-measurement')
      this.#say({ type: 'result', id, method, result: { reports: this.#sequence } });
    else if (method === 'get-health') this.#say({ type: 'result', id, method, result: health('injected') });
    else
      this.#say({
        type: 'error',
        id,
        code: 'PATH_REFUSED',
        message: `no ${number++}`,
        reason: 'EIO',
        path: 'poll',
      });
  }

  #say(message: object): void {
    this.said++;
    this.#guest?.say(message);
  }

  /** Some 45 messages a second: above 50 a session is ended. */
  tick(at: number): void {
    this.#say({ type: 'health', health: health(at % 2 ? 'injected' : 'vmcall') });
    const measurement = this.#measurement;
    if (measurement === '') return;
    this.#say({
      type: 'report',
      measurement,
      sequence: ++this.#sequence,
      elapsed_us: this.#sequence,
      path: at % 2 ? 'injected' : 'vmcall',
      wake_latency: {
        unit: 'ns',
        delta: { count: 0, histogram: encodeHistogram(noWakes()) },
        total: { count: 0, min: null, max: 0, sum: 0 },
      },
      counters: {},
      wake_times: { tsc_khz: 1, missed: 0, data: ['gAEB'] },
    });
    if (at % 7 === 0) {
      this.#measurement = '';
      this.#say({ type: 'measurement-ended', measurement, code: 'DATAPLANE_RESTARTED', message: '' });
    }
  }

  leave(): void {
    this.#guest?.socket.terminate();
  }
}

beforeEach(async () => {
  await host.bench.configure({ reconciler: 'interval_s = 10\nyields_within_s = 20' });
  await passThrough();
  await host.bench.startAgent('', {}, traced);
});

async function soFar(): Promise<{ looks: number; writes: number }> {
  const of = () => host.bench.agent.log.filter(({ message }) => message === 'so far');
  const before = of().length;
  host.bench.agent.child.kill('SIGUSR2');
  await expect.poll(() => of().length, { timeout: 20_000 }).toBe(before + 1);
  return of().at(-1) as unknown as { looks: number; writes: number };
}

const instances = () => `/proc/${host.bench.agent.child.pid}/root/sys/kernel/tracing/instances`;

/** The number of the last trace that is there: each that begins has the next in its name. */
async function lastTrace(): Promise<number> {
  const names = await readdir(instances());
  return Math.max(0, ...names.map((name) => Number(/-(\d+)$/.exec(name)?.[1] ?? 0)));
}

test('it has log lines, looks and traces as its share, whatever it says', { timeout: 90_000 }, async () => {
  await host.desire('vmcall');
  const { secret } = await host.bench.enroll();
  const watching = new AbortController();
  void observe(host.bench.socket, () => {}, watching.signal).catch(() => {});
  const guest = new Hostile(secret);
  await guest.connect();
  const [before, lines] = [await soFar(), host.bench.agent.log.length];
  const hasTraces = existsSync(instances());
  let begun = 0;
  const began = performance.now();
  for (let at = 0; performance.now() - began < seconds * 1000; at++) {
    guest.tick(at);
    begun = Math.max(begun, hasTraces ? await lastTrace() : 0);
    if (at % 40 === 39) {
      guest.leave();
      await guest.connect().catch(() => {});
    }
    await new Promise((resolve) => setTimeout(resolve, 45));
  }
  const lasted = (performance.now() - began) / 1000;
  const [after, more] = [await soFar(), host.bench.agent.log.length - lines];
  expect(guest.said).toBeGreaterThan(15 * lasted);
  expect(more).toBeLessThanOrEqual(30 + lasted / 2 + 2);
  if (hasTraces) expect(begun).toBeGreaterThan(0);
  expect(begun).toBeLessThanOrEqual(5 + lasted / 2 + 1);
  // Ten at once, one a second, two a second of its own while it moves; each ends after four steps: there and back.
  const looks = 10 + 3 * lasted;
  expect(after.looks - before.looks).toBeLessThanOrEqual(5 * looks);
  expect(after.writes - before.writes).toBeLessThanOrEqual(4 * looks);
  watching.abort();
  guest.leave();
  // None outlives its session.
  if (hasTraces) await expect.poll(lastTrace, { timeout: 20_000 }).toBe(0);
});
