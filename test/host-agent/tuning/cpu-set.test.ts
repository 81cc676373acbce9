// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { formatCpus, parseCpus } from '../../../host-agent/tuning/cpu-set.js';

describe('CPU lists', () => {
  test.each([
    ['', []],
    ['0', [0]],
    ['0-3,8', [0, 1, 2, 3, 8]],
    ['7,2-3,3', [2, 3, 7]],
    ['0-7:1/2', [0, 2, 4, 6]],
    ['2,4-5\n', [2, 4, 5]],
  ])('%j is read', (list, cpus) => expect(parseCpus(list)).toEqual(cpus));

  test.each(['a', '3-1', '1-', '-1', '0-99999', '1;2', '0-7:3/2', '0x1'])('%j is refused', (list) =>
    expect(() => parseCpus(list)).toThrow(expect.objectContaining({ code: 'CPU_LIST' })),
  );

  test('written as the kernel writes them', () => {
    expect(formatCpus([8, 1, 0, 3, 2, 3])).toBe('0-3,8');
    expect(formatCpus([])).toBe('');
  });
});
