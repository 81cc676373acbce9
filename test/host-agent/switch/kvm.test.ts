// SPDX-License-Identifier: Apache-2.0
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FileHost } from '../../../host-agent/host/host.js';
import { SystemCommands } from '../../../host-agent/host/host-commands.js';
import { demands } from '../../../host-agent/switch/demands.js';
import { KvmSwitches } from '../../../host-agent/switch/kvm.js';

let root: string;
let folder: string;
let kvm: KvmSwitches;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vmcall-kvm-'));
  folder = join(root, 'sys/kernel/kvm/4711-12');
  mkdirSync(folder, { recursive: true });
  begin(4711);
  for (const file of ['vcpu_yield', 'irqfd_hardirq', 'vcpu_yields']) writeFileSync(join(folder, file), '0\n');
  kvm = new KvmSwitches(new FileHost(root, new SystemCommands()));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const dpdk0 = { uuid: '0f3b5c1e-2a4d-4c6b-9e8f-7a6b5c4d3e2f', id: 1 };

/** Its QEMU, in another process than before. */
function begin(pid: number, name = 'dpdk0', uuid = dpdk0.uuid): void {
  for (const one of readdirSync(root).includes('proc') ? readdirSync(join(root, 'proc')) : [])
    if (uuid === dpdk0.uuid) rmSync(join(root, 'proc', one), { recursive: true });
  mkdirSync(join(root, `proc/${pid}`), { recursive: true });
  writeFileSync(
    join(root, `proc/${pid}/cmdline`),
    `qemu-system-x86_64\0-name\0guest=${name}\0-uuid\0${uuid}\0`,
  );
}

const values = () =>
  ['vcpu_yield', 'irqfd_hardirq'].map((file) => readFileSync(join(folder, file), 'utf8').trim());

describe("KVM's switches", () => {
  test('are thrown and seen', () => {
    kvm.set(dpdk0.uuid, demands.vmcall);
    writeFileSync(join(folder, 'vcpu_yields'), '123\n');
    expect(kvm.see(dpdk0)).toEqual({
      support: 'present',
      vcpuYield: true,
      irqfdHardirq: true,
      yields: 123,
    });
    kvm.set(dpdk0.uuid, demands.injected);
    expect(values()).toEqual(['0', '0']);
  });

  test('of a KVM without the series are missing by name', () => {
    for (const file of ['vcpu_yield', 'vcpu_yields']) rmSync(join(folder, file));
    expect(kvm.see(dpdk0)).toEqual({ support: 'unsupported', missing: ['vcpu_yield', 'vcpu_yields'] });
  });

  test('are missing where KVM has only its own folder, with switches of an older series or none', () => {
    mkdirSync(join(root, 'sys/kernel/debug'), { recursive: true });
    renameSync(join(root, 'sys/kernel/kvm'), join(root, 'sys/kernel/debug/kvm'));
    expect(kvm.see(dpdk0)).toEqual({ support: 'unsupported', missing: ['/sys/kernel/kvm'] });
    expect(() => kvm.set(dpdk0.uuid, demands.vmcall)).toThrow(
      expect.objectContaining({ code: 'KVM_VM_ABSENT' }),
    );
    expect(kvm.place(dpdk0.uuid)).toEqual({ pid: 4711, folder: '/sys/kernel/debug/kvm/4711-12' });
  });

  test('of a VM that KVM does not have are absent', () => {
    rmSync(folder, { recursive: true });
    expect(kvm.see(dpdk0)).toEqual({ support: 'absent', why: expect.stringContaining('/sys/kernel/kvm') });
  });

  test('are found again in another process, and in another folder of the same', () => {
    kvm.set(dpdk0.uuid, demands.vmcall);
    expect(kvm.see(dpdk0)).toMatchObject({ vcpuYield: true });
    renameSync(folder, join(root, 'sys/kernel/kvm/4711-13'));
    expect(kvm.see(dpdk0)).toMatchObject({ vcpuYield: true });
    renameSync(join(root, 'sys/kernel/kvm/4711-13'), join(root, 'sys/kernel/kvm/4712-12'));
    expect(kvm.see(dpdk0)).toMatchObject({ support: 'absent' });
    begin(4712);
    expect(kvm.see(dpdk0)).toMatchObject({ vcpuYield: true });
  });

  test('of a domain that was started again are looked for in its new process, though the old folder is there', () => {
    expect(kvm.see(dpdk0)).toMatchObject({ yields: 0 });
    const folderNow = join(root, 'sys/kernel/kvm/4712-12');
    cpSync(folder, folderNow, { recursive: true });
    writeFileSync(join(folderNow, 'vcpu_yields'), '7\n');
    begin(4712);
    expect(kvm.see({ ...dpdk0, id: 2 })).toMatchObject({ yields: 7 });
  });

  test('are found where another process number begins with theirs', () => {
    mkdirSync(join(root, 'sys/kernel/kvm/47110-3'));
    mkdirSync(join(root, 'sys/kernel/kvm/471-3'));
    expect(kvm.see(dpdk0)).toMatchObject({ support: 'present' });
  });

  test('are both tried when the first fails', () => {
    kvm.set(dpdk0.uuid, demands.vmcall);
    rmSync(join(folder, 'vcpu_yield'));
    mkdirSync(join(folder, 'vcpu_yield'));
    expect(() => kvm.set(dpdk0.uuid, demands.injected)).toThrow(
      expect.objectContaining({ code: 'HOST_WRITE' }),
    );
    expect(readFileSync(join(folder, 'irqfd_hardirq'), 'utf8').trim()).toBe('0');
  });

  test.each([
    ['no such process', () => rmSync(join(root, 'proc'), { recursive: true }), `-uuid ${dpdk0.uuid}`],
    ['no debugfs', () => rmSync(join(root, 'sys'), { recursive: true }), 'debugfs is not mounted'],
    ['a counter that is none', () => writeFileSync(join(folder, 'vcpu_yields'), 'many'), 'no number'],
  ])('with %s are absent, and it is said why', (_what, spoil, why) => {
    spoil();
    expect(kvm.see(dpdk0)).toEqual({ support: 'absent', why: expect.stringContaining(why) });
  });

  test('are those of its UUID, whatever another domain is named', () => {
    begin(4713, 'dpdk0', '11111111-2a4d-4c6b-9e8f-7a6b5c4d3e2f');
    const other = join(root, 'sys/kernel/kvm/4713-12');
    cpSync(folder, other, { recursive: true });
    writeFileSync(join(other, 'vcpu_yields'), '9\n');
    expect(kvm.see(dpdk0)).toMatchObject({ yields: 0 });
    kvm.set(dpdk0.uuid, demands.vmcall);
    expect(values()).toEqual(['1', '1']);
    expect(readFileSync(join(other, 'vcpu_yield'), 'utf8').trim()).toBe('0');
  });

  test("are nobody's where two processes say the same UUID", () => {
    mkdirSync(join(root, 'proc/4714'), { recursive: true });
    cpSync(join(root, 'proc/4711'), join(root, 'proc/4714'), { recursive: true });
    cpSync(folder, join(root, 'sys/kernel/kvm/4714-12'), { recursive: true });
    expect(kvm.see(dpdk0)).toEqual({ support: 'absent', why: expect.stringContaining('two processes') });
  });
});
