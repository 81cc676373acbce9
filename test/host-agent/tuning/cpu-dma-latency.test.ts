// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CpuDmaLatency, cpuDmaLatency } from '../../../host-agent/tuning/cpu-dma-latency.js';
import { recordedHost, systemAt, unpack } from './recorded-host.js';

let root: string;
let device: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vmcall-latency-'));
  unpack(recordedHost('xeon-rt'), root);
  device = join(root, 'dev/cpu_dma_latency');
  writeFileSync(device, Buffer.from([0x00, 0x94, 0x35, 0x77]));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** How often this process has the device open. */
const open = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === device;
    } catch {
      return false;
    }
  }).length;

describe('/dev/cpu_dma_latency', () => {
  test('is read as the 32-bit number it is, and null where there is none', () => {
    const { host } = systemAt(root);
    expect(cpuDmaLatency(host)).toBe(2_000_000_000);
    rmSync(device);
    expect(cpuDmaLatency(host)).toBeNull();
  });

  test('is kept open with the limit, once, until released', () => {
    const { host } = systemAt(root);
    const latency = new CpuDmaLatency(host);
    expect([latency.limit, open()]).toEqual([undefined, 0]);
    latency.hold(2);
    expect([latency.limit, open(), readFileSync(device).readInt32LE()]).toEqual([2, 1, 2]);
    latency.hold(2);
    latency.hold(33);
    expect([latency.limit, open(), cpuDmaLatency(host)]).toEqual([33, 1, 33]);
    latency.release();
    latency.release();
    expect([latency.limit, open()]).toEqual([undefined, 0]);
  });

  test.each([-1, 1.5, 2_000_000_001, Number.NaN])('%s us is refused', (limit) => {
    const latency = new CpuDmaLatency(systemAt(root).host);
    latency.hold(5);
    expect(() => latency.hold(limit)).toThrow(expect.objectContaining({ code: 'LATENCY_RANGE' }));
    expect([latency.limit, open()]).toEqual([5, 1]);
    latency.release();
  });

  test('that cannot be opened leaves what was held', () => {
    const latency = new CpuDmaLatency(systemAt(root).host);
    rmSync(device);
    expect(() => latency.hold(5)).toThrow(expect.objectContaining({ code: 'HOST_WRITE' }));
    expect([latency.limit, open()]).toEqual([undefined, 0]);
  });
});
