// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Check, checkSchema } from '../../../host-agent/tuning/check.js';
import type { Finding } from '../../../host-agent/tuning/checks/finding.js';
import type { HostSystem } from '../../../host-agent/tuning/knob.js';
import { checkCommand } from '../../../src/cli/check.js';
import { recordedHost, systemAt, unpack } from './recorded-host.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vmcall-check-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
  process.exitCode = undefined;
});

function host(name: string): HostSystem {
  unpack(recordedHost(name), root);
  return systemAt(root);
}

/** `vmcall check --json` on a recorded host. */
async function check(
  system: HostSystem,
  ...words: string[]
): Promise<{ document: Check; exitCode: unknown }> {
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  try {
    await checkCommand(() => system).parseAsync(['--json', ...words], { from: 'user' });
  } finally {
    spy.mockRestore();
  }
  return { document: checkSchema.parse(JSON.parse(written.join(''))), exitCode: process.exitCode };
}

const codes = ({ findings }: Check, severity: Finding['severity']) => [
  ...new Set(findings.filter((finding) => finding.severity === severity).map(({ code }) => code)),
];
const found = ({ findings }: Check, code: string) => findings.find((finding) => finding.code === code);

describe('vmcall check', () => {
  test('finds a tuned EPYC RT host fit, with nothing to say against it', async () => {
    const { document, exitCode } = await check(host('amd-rt'), 'router');
    expect(codes(document, 'fail')).toEqual([]);
    expect(codes(document, 'warn')).toEqual([]);
    expect(document).toMatchObject({ fit: true, domain: 'router', cpus: '3' });
    expect(exitCode).toBe(0);
    expect(found(document, 'tuned')?.read).toContain('realtime-virtual-host');
    expect(found(document, 'c-states')?.read).toContain('C1 1 us, C2 400 us');
  });

  test('finds and names the priority inversion of an untuned RT host', async () => {
    const { document, exitCode } = await check(host('xeon-rt'), 'dpdk0');
    expect(exitCode).toBe(1);
    expect(codes(document, 'fail')).toEqual([
      'priority-inversion',
      'emulator-pin',
      'irq-affinity',
      'resume-latency',
      'vcpu-scheduler',
    ]);
    expect(codes(document, 'warn')).toEqual([
      'emulator-on-dpdk-cpu',
      'halt-poll',
      'vfio-hardirq',
      'rt-throttling',
    ]);
    expect(found(document, 'emulator-on-dpdk-cpu')?.read).toContain('IO mon_iothread');
    const inversion = found(document, 'priority-inversion');
    expect(inversion?.read).toContain('vCPU 1 (fifo:60) starves irq/45-vfio-msix[0](0000:81:00.0) (fifo:50)');
    expect(found(document, 'c-states')?.read).toContain('C1 2 us, C1E 10 us, C3 33 us, C6 133 us');
    expect(found(document, 'hugepages')).toMatchObject({ severity: 'ok' });
  });

  test('no inversion below the thread’s priority; above one that is ordinary there is', async () => {
    const system = host('xeon-rt');
    system.host.setScheduling(2011, { policy: 'fifo', priority: 49 });
    expect(found((await check(system, 'dpdk0')).document, 'priority-inversion')?.severity).toBe('ok');
    system.host.setScheduling(2011, { policy: 'fifo', priority: 50 });
    expect(found((await check(system, 'dpdk0')).document, 'priority-inversion')?.severity).toBe('fail');
    for (const thread of [901, 902]) system.host.setScheduling(thread, { policy: 'other', priority: 0 });
    system.host.setScheduling(2011, { policy: 'fifo', priority: 1 });
    const inversion = found((await check(system, 'dpdk0')).document, 'priority-inversion');
    expect(inversion).toMatchObject({
      severity: 'fail',
      todo: expect.stringContaining('chrt --fifo --pid 50 901'),
    });
  });

  test('finds a host as distributions leave it unfit, and each rival', async () => {
    const { document, exitCode } = await check(host('xeon-stock'), 'web1', '--pin', '1=6');
    expect(exitCode).toBe(1);
    expect(codes(document, 'fail')).toEqual([
      'vmcall-modules',
      'iommu-group',
      'rt-kernel',
      'isolcpus',
      'clocksource',
      'tsc-rate',
      'emulator-pin',
      'vcpu-pin',
      'irq-affinity',
      'resume-latency',
      'vcpu-scheduler',
    ]);
    expect(codes(document, 'warn')).toEqual([
      'interrupt-remapping',
      'nohz-full',
      'rcu-nocbs',
      'numa',
      'hugepages',
      'microcode',
      'vcpu-on-dpdk-cpu',
      'irqbalance',
      'tuned',
      'ksm',
      'halt-poll',
      'rt-throttling',
    ]);
    expect(found(document, 'iommu-group')?.read).toContain('0000:18:00.1');
    expect(found(document, 'numa')?.read).toContain('is on node 0, CPU 6 is not');
  });

  test('says what it cannot decide, and sees siblings and strangers on the CPU', async () => {
    const system = host('xeon-stock');
    expect(codes((await check(system, 'web1')).document, 'fail')).toContain('vcpu-not-pinned');
    const { document } = await check(system, 'web1', '--pin', '1=4');
    expect(found(document, 'smt')?.read).toContain('CPU 0 shares cores');
    expect(found(document, 'other-interrupts')?.read).toContain('70 eth1-TxRx-0');
  });

  test('judges the host itself by its isolated CPUs and the NICs that vfio-pci has', async () => {
    const { document } = await check(host('xeon-rt'));
    expect(document).toMatchObject({ domain: null, cpus: '2-3,6-7' });
    expect(found(document, 'nic-driver')?.read).toBe('0000:81:00.0 is on vfio-pci');
    expect(found(document, 'hugepages')?.read).toBe('16 huge pages of the default size');
  });

  test('says 4, not supported, in a VM without virtualisation', async () => {
    const { document, exitCode } = await check(host('vm'));
    expect(exitCode).toBe(4);
    expect(found(document, 'cpu-virtualisation')).toMatchObject({ unsupported: true });
    expect(found(document, 'c-states')?.read).toContain('none to limit');
    expect(document.fit).toBe(false);
  });

  test.each([
    ['idle=poll', 'idle-poll', 'warn'],
    ['intel_idle.max_cstate=1', 'c-state-boot', 'ok'],
  ])('reads the boot parameter %s', async (parameter, code, severity) => {
    const system = host('xeon-rt');
    system.host.write('/proc/cmdline', parameter);
    const { document } = await check(system, 'dpdk0');
    expect(found(document, code)?.severity).toBe(severity);
  });

  test('a threaded VFIO handler without our modules is reported, by threadirqs too', async () => {
    const system = host('xeon-stock');
    expect(found((await check(system, 'web1')).document, 'vfio-handler')?.severity).toBe('ok');
    system.host.write('/proc/cmdline', 'quiet threadirqs');
    expect(found((await check(system, 'web1')).document, 'vfio-handler')?.severity).toBe('warn');
  });

  test('no fewer DPDK CPUs than asked are isolated', async () => {
    const { document } = await check(host('xeon-rt'), '--cpu', '5-6');
    expect(found(document, 'isolcpus')).toMatchObject({
      severity: 'fail',
      read: expect.stringContaining('CPU 5'),
    });
  });

  test('a domain that does not run is a usage error', async () => {
    await expect(check(host('xeon-rt'), 'nosuch')).rejects.toMatchObject({ code: 'NO_DOMAIN', exitCode: 2 });
  });
});
