// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { promtool } from '../../../src/setup/promtool.js';
import { stderrProgress } from '../../../src/support/progress.js';

/** promtool's verdict on what is given on its standard input. */
export async function checkWithPromtool(words: string[], input = ''): Promise<{ ok: boolean; said: string }> {
  const tool = await promtool(stderrProgress());
  const { exitCode, all = '' } = await execa(tool, words, { input, all: true, reject: false });
  return { ok: exitCode === 0, said: all };
}

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** The samples of a scrape, as a server that scraped them would label them. */
export function samplesOf(scrape: string, target = { job: 'vmcall', instance: 'host-1:8647' }): Sample[] {
  return scrape
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(
        ([, key = '', word = '']) => [key, word] as const,
      );
      return { name, labels: { ...Object.fromEntries(pairs), ...target }, value: Number(value) };
    });
}

export interface Question {
  expr: string;
  /** The one value wanted. */
  value: number;
}

/**
 * Evaluates expressions over half an hour in which the samples stay (gauges) or grow steadily (counters).
 * @returns what promtool says against them; empty if nothing
 */
export async function evaluate(
  rules: string,
  samples: readonly Sample[],
  questions: readonly Question[],
): Promise<string> {
  const isCounter = (name: string) => /_(total|bucket|sum|count)$/.test(name);
  const series = samples.map(({ name, labels, value }) => ({
    series: `${name}{${Object.entries(labels)
      .map(([key, word]) => `${key}="${word}"`)
      .join(',')}}`,
    values: isCounter(name) ? `0+${value}x30` : `${value}+0x30`,
  }));
  const document = {
    rule_files: [rules],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: series,
        promql_expr_test: questions.map(({ expr, value }) => ({
          expr,
          eval_time: '30m',
          exp_samples: [{ labels: '{}', value }],
        })),
      },
    ],
  };
  const folder = await mkdtemp(join(tmpdir(), 'vmcall-promtool-'));
  try {
    const file = join(folder, 'test.yml');
    // JSON is YAML.
    await writeFile(file, JSON.stringify(document));
    const { ok, said } = await checkWithPromtool(['test', 'rules', file]);
    return ok ? '' : said;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
