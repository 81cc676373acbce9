// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { formatCpus, parseCpuMask, parseCpus } from '../../../host-agent/tuning/cpu-set.js';

describe('CPU lists', () => {
  test.each([
    ['', []],
    ['0', [0]],
    ['0-3,8', [0, 1, 2, 3, 8]],
    ['7,2-3,3', [2, 3, 7]],
    ['0-7:1/2', [0, 2, 4, 6]],
    ['2,4-5\n', [2, 4, 5]],
    ['0 2\t4-5', [0, 2, 4, 5]],
    ['0-7:0/2', []],
  ])('%j is read', (list, cpus) => expect(parseCpus(list)).toEqual(cpus));

  test.each(['a', '3-1', '1-', '-1', '0-99999', '1;2', '0-7:3/2', '0x1', '5:1/2', 'all', 'N', '0-N'])(
    '%j is refused',
    (list) => expect(() => parseCpus(list)).toThrow(expect.objectContaining({ code: 'CPU_LIST' })),
  );

  test.each([
    ['all', [0, 1, 2, 3, 4, 5, 6, 7]],
    ['ALL:1/4', [0, 4]],
    ['N', [7]],
    ['2,6-N', [2, 6, 7]],
    ['0-N:2/4', [0, 1, 4, 5]],
  ])('%j of eight CPUs is read', (list, cpus) => expect(parseCpus(list, 7)).toEqual(cpus));

  test.each([
    ['00000003', [0, 1]],
    ['0x8', [3]],
    ['1,00000001', [0, 32]],
  ])('the mask %j is read', (mask, cpus) => expect(parseCpuMask(mask)).toEqual(cpus));

  test('a mask that is none is refused', () =>
    expect(() => parseCpuMask('3-5')).toThrow(expect.objectContaining({ code: 'CPU_LIST' })));

  test('written as the kernel writes them', () => {
    expect(formatCpus([8, 1, 0, 3, 2, 3])).toBe('0-3,8');
    expect(formatCpus([])).toBe('');
  });
});
