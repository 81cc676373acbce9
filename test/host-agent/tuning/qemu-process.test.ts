// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FileHost } from '../../../host-agent/host/host.js';
import { SystemCommands } from '../../../host-agent/host/host-commands.js';
import { QemuProcesses } from '../../../host-agent/tuning/qemu-process.js';

const name = `probe-${process.pid}`;
const uuid = 'b2a0f9f6-54a1-4c9d-8a55-0f6c2f1d7e11';
const domains = new QemuProcesses(new FileHost('/', new SystemCommands()));

let qemu: ChildProcess;
beforeAll(async () => {
  const words = ['-machine', 'none', '-S', '-display', 'none', '-nodefaults'];
  qemu = spawn('qemu-system-x86_64', [...words, '-name', `guest=${name},debug-threads=on`, '-uuid', uuid]);
  await once(qemu, 'spawn');
  while (!(await domains.find(name))) await delay(50);
}, 60_000);
afterAll(() => qemu.kill());

test('a running QEMU is found, read, pinned, and gone when it has ended', async () => {
  const domain = await domains.find(name);
  expect(await domain?.facts()).toMatchObject({ name, uuid, pid: qemu.pid, vcpus: [], hostdevs: [] });
  await domain?.pinEmulator('0', []);
  expect((await domain?.facts())?.emulatorCpus).toBe('0');
  expect(await domains.find(uuid)).not.toBeNull();
  expect(await domains.find(String(qemu.pid))).not.toBeNull();
  expect(await domains.find('probe')).toBeNull();
  await expect(domain?.pinVcpu(0, '0')).rejects.toMatchObject({ code: 'NO_VCPU' });
  const exited = once(qemu, 'exit');
  qemu.kill();
  await exited;
  expect(await domains.find(name)).toBeNull();
  await expect(domain?.facts()).rejects.toMatchObject({ code: 'DOMAIN_ENDED' });
});
