// SPDX-License-Identifier: Apache-2.0
// What `vmcall run` tells of energy, on a machine that seems to have RAPL, with a process that seems to be the guest's.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, expect, test } from 'vitest';
import { renderReport } from '../../src/report/report.js';
import { parseResult } from '../../src/results/migrate.js';
import { projectRoot } from '../../src/support/paths.js';
import { domain } from './support/host-bench.js';
import { RealHost } from './support/test-host.js';

const host = new RealHost();
let qemu: ChildProcess | undefined;
afterEach(() => qemu?.kill('SIGKILL'));

/** Takes a CPU, as a guest that polls does. */
function startQemu(): ChildProcess {
  const words = ['-uuid', domain.uuid, '-accel', 'kvm'];
  return spawn('sh', ['-c', 'while :; do :; done', ...words], {
    argv0: 'qemu-system-x86_64',
    stdio: 'ignore',
  });
}

test('vmcall run tells the energy before, during and after, per packet, and the VM’s share', {
  timeout: 240_000,
}, async () => {
  qemu = startQemu();
  const program = join(projectRoot, 'dist/src/cli/main.js');
  const words = ['1', '--paths', 'injected,vmcall', '--seconds', '2', '--rounds', '1', '--json'];
  const where = ['--socket', host.bench.socket, '--output', join(host.bench.folder, 'results')];
  const onRapl = ['--mount', join(projectRoot, 'test/energy/rapl/with-rapl.sh'), process.execPath, program];
  const { stdout, stderr, exitCode } = await execa('unshare', [...onRapl, 'run', ...words, ...where], {
    reject: false,
  });
  expect([exitCode, stderr]).toEqual([0, expect.any(String)]);
  const result = parseResult(JSON.parse(stdout), 'stdout');
  const { energy } = result;
  expect(energy?.zones).toEqual(['package-0', 'dram of package-0']);
  expect(energy?.during.map(({ of }) => of)).toEqual(['injected', 'vmcall']);
  for (const stretch of [energy?.before, energy?.after, ...(energy?.during ?? [])]) {
    // 25 W, as far as a busy machine counts in time; a counter that began again would be thousands.
    expect(stretch?.watt_hours_per_hour).toBeGreaterThan(15);
    expect(stretch?.watt_hours_per_hour).toBeLessThan(40);
  }
  const [, vmcall] = energy?.during ?? [];
  expect(vmcall?.packets).toBeGreaterThan(1_000);
  expect(vmcall?.joules_per_packet).toBeCloseTo((vmcall?.joules ?? 0) / (vmcall?.packets ?? 1), 9);
  // Of a CPU that it had all the time that others left it.
  expect(vmcall?.vm?.cpu_seconds).toBeGreaterThan(0);
  expect(vmcall?.vm?.of_busy).toBeLessThanOrEqual(1);
  expect(vmcall?.vm?.joules).toBeLessThan(vmcall?.joules ?? 0);
  const page = renderReport([{ source: 'result.json', result } as never]);
  expect(page).toMatch(/uJ a packet; Kepler would give the VM/);
});
