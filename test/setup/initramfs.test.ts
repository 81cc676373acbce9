// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import {
  insertionOrder,
  moduleName,
  parseModulesBuiltin,
  parseModulesDep,
} from '../../src/setup/initramfs.js';

const index = parseModulesDep(
  [
    'kernel/drivers/vfio/pci/vfio-pci.ko.xz: kernel/drivers/vfio/pci/vfio-pci-core.ko.xz kernel/drivers/vfio/vfio.ko.xz kernel/virt/lib/irqbypass.ko.xz',
    'kernel/drivers/vfio/pci/vfio-pci-core.ko.xz: kernel/drivers/vfio/vfio.ko.xz kernel/virt/lib/irqbypass.ko.xz',
    'kernel/drivers/vfio/vfio.ko.xz:',
    'kernel/virt/lib/irqbypass.ko.xz:',
    'kernel/arch/x86/kvm/kvm.ko.xz: kernel/virt/lib/irqbypass.ko.xz',
  ].join('\n'),
);

describe('module insertion order', () => {
  test('names modules as the kernel does', () => {
    expect(moduleName('kernel/drivers/vfio/pci/vfio-pci-core.ko.xz')).toBe('vfio_pci_core');
    expect(moduleName('kvm-amd.ko')).toBe('kvm_amd');
  });

  test('puts each module after what it needs, once', () => {
    const order = insertionOrder(index, ['vfio_pci', 'kvm']).map(moduleName);
    expect(new Set(order).size).toBe(order.length);
    for (const [path, needs] of index)
      for (const need of needs)
        expect(order.indexOf(moduleName(need))).toBeLessThan(order.indexOf(moduleName(path)));
    expect(order).toHaveLength(5);
  });

  test('names what is built in as the kernel does', () => {
    const builtin = parseModulesBuiltin('kernel/drivers/virtio/virtio_pci.ko\nkernel/fs/fuse/virtiofs.ko\n');
    expect([...builtin]).toEqual(['virtio_pci', 'virtiofs']);
  });

  test('names a module that the kernel does not have', () => {
    expect(() => insertionOrder(index, ['no_such'])).toThrow(/no_such/);
  });
});
