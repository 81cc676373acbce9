// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from '../../src/comparison/compare.js';
import { parseResult } from '../../src/results/migrate.js';

const file = join(import.meta.dirname, '..', 'results', 'fixtures', 'run-v1.json');

/** A real run of the lab. */
export const realRun = (): Run => ({
  source: 'result.json',
  result: parseResult(JSON.parse(readFileSync(file, 'utf8')), file),
});

/** The same, with markup in every text that a document may carry, as an untrusted guest could write it. */
export function hostileRun(): Run {
  const attack = `"></style><script>document.title='owned'</script><img src=x onerror="document.title='owned'">'`;
  const { source, result } = realRun();
  const paths = result.paths.map((path) => ({
    ...path,
    name: ['injected', 'vmcall'].includes(path.name) ? path.name : `${path.name}${attack}`,
    title: attack,
    exits_by_reason: { [attack]: 1 },
    stages: [{ name: attack, ns: path.latency_ns }],
  }));
  return {
    source: `${source}${attack}`,
    result: {
      ...result,
      paths,
      made_by: { name: attack, version: attack },
      traffic: { ...result.traffic, pattern: attack },
      targets: result.targets.map((target) => ({ ...target, name: attack, limit: attack })),
      platform: { [attack]: attack },
      tuning: { [attack]: attack },
      failed_attempts: [{ why: attack, folder: attack }],
      notes: [attack],
      repeat: attack,
      timeline: {
        points: [
          {
            path: attack,
            at_s: 0,
            length_s: 1,
            received: 1,
            latency_ns: { p50: 1000, p99: 2000, max: 3000 },
          },
        ],
        marks: [{ at_s: 0.5, kind: 'tuning', text: attack }],
      },
    },
  };
}
