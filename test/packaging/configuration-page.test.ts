// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configurationPage } from '../../packaging/command/configuration-page.js';
import { projectRoot } from '../../src/support/paths.js';

describe.each(['host', 'guest'])("the %s agent's page of section 5", (side) => {
  test('has every key, and no line that scdoc takes for a list', async () => {
    const readme = await readFile(join(projectRoot, `${side}-agent`, 'README.md'), 'utf8');
    const page = configurationPage(`vmcall-${side}-agent.toml`, `/etc/vmcall/${side}-agent.toml`, readme);
    const keys = [...readme.matchAll(/^\| `([a-z0-9_]+\.[a-z0-9_]+)` /gm)].map(([, key = '']) => key);
    for (const key of keys) expect(page).toContain(`*${key.replaceAll('_', '\\_')}*`);
    expect(page).not.toMatch(/^\t*[-.]/m);
  });
});
