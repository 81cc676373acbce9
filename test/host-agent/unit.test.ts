// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeOptions } from '../../host-agent/run.js';
import { projectRoot } from '../../src/support/paths.js';

test('systemd starts the agent with the options that the benchmark measures it with', async () => {
  const unit = await readFile(join(projectRoot, 'host-agent', 'vmcall-host-agent.service'), 'utf8');
  expect(unit.split('\n')).toContain(`Environment=NODE_OPTIONS=${nodeOptions.join(' ')}`);
});
