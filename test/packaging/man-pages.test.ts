// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../src/support/paths.js';

test("the dataplane's page has each of its options", async () => {
  const usage = await readFile(join(projectRoot, 'guest-agent', 'dataplane', 'options.c'), 'utf8');
  const page = await readFile(join(projectRoot, 'packaging', 'man', 'vmcall-dataplane.8.scd'), 'utf8');
  const options = [...usage.matchAll(/^" {2}(--[a-z-]+)/gm)].map(([, option = '']) => option);
  expect(options.length).toBeGreaterThan(5);
  for (const option of options.filter((name) => name !== '--help')) expect(page).toContain(`*${option}*`);
});
