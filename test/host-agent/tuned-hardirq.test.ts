// SPDX-License-Identifier: Apache-2.0
// `vmcall tune` and a live host agent, over the one switch that both throw.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { keep } from '../../host-agent/tuning/upkeep/kept.js';
import { domain } from './support/host-bench.js';
import { onInjected, RealHost } from './support/test-host.js';

const host = new RealHost();

test('the handler that tune switched on stays on, on the injected path too, until tune restore', async () => {
  const file = join(host.bench.kvm, 'irqfd_hardirq');
  const value = async () => (await readFile(file, 'utf8')).trim();
  const becomes = (wanted: string) => expect.poll(value, { timeout: 30_000, interval: 20 }).toBe(wanted);
  expect(await host.vmcall('enable', '1')).toMatchObject({ exitCode: 0 });
  await host.bench.until({ actual: 'vmcall' });
  expect(await host.vmcall('disable', '1')).toMatchObject({ exitCode: 0 });
  await host.bench.until({ ...onInjected });
  // Of nobody's it is switched off again: so long does that take here.
  const began = performance.now();
  await writeFile(file, '1\n');
  await becomes('0');
  const takes = performance.now() - began;
  keep(host.bench.tuning, {
    format: 'vmcall-tuning-kept',
    version: 1,
    made: new Date().toISOString(),
    domain,
    connect: null,
    pins: [],
    nics: [],
    cpus: [],
    max_exit_latency_us: null,
    hardirq: true,
  });
  await writeFile(file, '1\n');
  for (let until = performance.now() + Math.max(3_000, 5 * takes); performance.now() < until; await delay(20))
    expect(await value()).toBe('1');
  expect(await host.vmcall('enable', '1')).toMatchObject({ exitCode: 0 });
  await host.bench.until({ actual: 'vmcall' });
  expect(await host.vmcall('disable', '1')).toMatchObject({ exitCode: 0 });
  await host.bench.until({ ...onInjected, actual: 'injected-hard-isr' });
  expect(await value()).toBe('1');
  await rm(join(host.bench.tuning, 'kept'), { recursive: true });
  await becomes('0');
}, 180_000);
