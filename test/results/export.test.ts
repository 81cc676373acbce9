// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { toCsv } from '../../src/results/export/csv.js';
import { toHgrm } from '../../src/results/export/hgrm.js';
import { parseResult } from '../../src/results/migrate.js';

describe('exports', () => {
  const result = parseResult(
    JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures', 'run-v1.json'), 'utf8')),
    'run-v1.json',
  );

  test('as CSV give every packet of every path, and end at the exact maximum', () => {
    const [head, ...rows] = toCsv(result.paths).trimEnd().split('\r\n');
    expect(head).toBe('path,latency_ns,count,share_at_or_below');
    for (const { name, received, latency_ns } of result.paths) {
      const own = rows.map((row) => row.split(',')).filter(([path]) => path === name);
      expect(own.reduce((sum, [, , count]) => sum + Number(count), 0)).toBe(received);
      expect(own.at(-1)?.slice(1)).toEqual([String(latency_ns.max), '1', '1.000000000']);
    }
  });

  test('as CSV hold no formula for a spreadsheet to run', () => {
    const [path] = result.paths;
    expect(path && toCsv([{ ...path, name: '=HYPERLINK("http://a")' }])).toContain(
      `"'=HYPERLINK(""http://a"")",`,
    );
  });

  test('as .hgrm give the percentiles in us, and the exact extremes', () => {
    const vmcall = result.paths.find(({ name }) => name === 'vmcall');
    const text = vmcall ? toHgrm(vmcall) : '';
    expect(text).toMatch(/46\.559 0\.500000000000 +\d+ +2\.00/);
    expect(text).toContain('Total count    =         1000');
    expect(text).toContain('#[Exact minimum = 40.774, exact maximum = 86.159]');
  });
});
