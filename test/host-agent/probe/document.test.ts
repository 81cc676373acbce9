// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { comparisonSchema } from '../../../src/comparison/schema.js';
import { projectRoot } from '../../../src/support/paths.js';

/** As `vmcall-probe --json` printed it, on unpatched KVM. */
const document = join(projectRoot, 'test', 'results', 'fixtures', 'probe.json');
const main = join(projectRoot, 'dist', 'src', 'cli', 'main.js');
const folder = mkdtempSync(join(tmpdir(), 'vmcall-probe-document-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const vmcall = (...words: string[]) => spawnSync(process.execPath, [main, ...words], { encoding: 'utf8' });

test('compare judges the PV kick against the injected path, by the rounds, without an option', () => {
  const { stdout } = vmcall('compare', document, '--json');
  const [pair] = comparisonSchema.parse(JSON.parse(stdout)).pairs;
  expect(pair).toMatchObject({
    first: { path: 'injected', rounds: 10 },
    second: { path: 'pv-kick', rounds: 10 },
  });
  expect(pair?.differences[0]?.verdict).toBe('faster');
});

test('report leads with it', () => {
  const page = join(folder, 'report.html');
  expect(vmcall('report', document, '--output', page).status).toBe(0);
  const text = readFileSync(page, 'utf8');
  expect(text).toMatch(/<h1>By PV kick a VM is awake [\d.]+ µs sooner than by injected interrupts<\/h1>/);
});
