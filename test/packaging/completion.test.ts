// SPDX-License-Identifier: Apache-2.0
import { Command } from 'commander';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { bashCompletion } from '../../packaging/command/bash-completion.js';
import { type CompletedVerb, verbsOf } from '../../packaging/command/verbs.js';
import { verbs } from '../../src/cli/verbs.js';

let all: CompletedVerb[] = [];
beforeAll(async () => {
  const program = new Command('vmcall');
  for (const { load, does } of verbs) program.addCommand((await load()).description(does));
  all = verbsOf(program);
});

/** What bash would offer for a line, with a virsh that knows of two domains. */
async function offered(...words: string[]): Promise<string[]> {
  const script = `${bashCompletion(all)}
virsh() { printf 'dpdk0\\nweb\\n'; }
COMP_WORDS=(vmcall "$@")
COMP_CWORD=$#
_vmcall
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await execa('bash', ['-c', script, 'bash', ...words]);
  return stdout.split('\n').filter(Boolean);
}

describe('bash offers', () => {
  test('every verb', async () => {
    expect(await offered('')).toEqual([...verbs.map(({ name }) => name), '--help', '--version']);
    expect(await offered('ho')).toEqual(['host-agent']);
  });
  test('the domains for a verb that takes them', async () => {
    expect(await offered('enable', '')).toEqual(['dpdk0', 'web']);
    expect(await offered('status', 'w')).toEqual(['web']);
  });
  test("a verb's options, and what an option may be", async () => {
    expect(await offered('enable', '--dry')).toEqual(['--dry-run']);
    expect(await offered('export', '--format', '')).toEqual(['csv', 'hgrm']);
  });
  test('the verbs of a verb, and their options', async () => {
    expect(await offered('tune', '')).toEqual(expect.arrayContaining(['plan', 'apply', 'restore']));
    expect(await offered('tune', 'restore', '--fo')).toEqual(['--force']);
  });
  test('files for an option that names one', async () => {
    expect(await offered('status', '--socket', '/etc/host')).toContain('/etc/hosts');
  });
});
