// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bashCompletion } from '../../packaging/command/bash-completion.js';
import { fishCompletion } from '../../packaging/command/fish-completion.js';
import { type CompletedVerb, verbsOf } from '../../packaging/command/verbs.js';
import { zshCompletion } from '../../packaging/command/zsh-completion.js';
import { verbs } from '../../src/cli/verbs.js';
import { ensureDebianPackages } from '../../src/setup/debian-packages.js';
import { stderrProgress } from '../../src/support/progress.js';

let all: CompletedVerb[] = [];
/** A virsh that knows of two domains, and zsh's file. */
let folder = '';
beforeAll(async () => {
  await ensureDebianPackages(stderrProgress(), true, 'tests');
  const program = new Command('vmcall');
  for (const { load, does } of verbs) program.addCommand((await load()).description(does));
  all = verbsOf(program);
  folder = await mkdtemp(join(tmpdir(), 'vmcall-completion-'));
  await writeFile(join(folder, 'virsh'), "#!/bin/sh\nprintf 'dpdk0\\nweb\\n'\n", { mode: 0o755 });
  await writeFile(join(folder, '_vmcall'), zshCompletion(all));
  await writeFile(join(folder, 'vmcall.fish'), fishCompletion(all));
}, 600_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

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

describe('zsh completes', () => {
  /** What becomes of a line at which the tab key is pressed. */
  async function completed(line: string): Promise<string> {
    const script = join(import.meta.dirname, 'complete-in-zsh.zsh');
    const { stdout } = await execa('zsh', ['-f', script, folder, line], {
      env: { PATH: `${folder}:${process.env.PATH}` },
    });
    return stdout;
  }

  test.each([
    ['vmcall fo', 'vmcall forget '],
    ['vmcall tune pl', 'vmcall tune plan '],
    ['vmcall enable --dr', 'vmcall enable --dry-run '],
    ['vmcall enable w', 'vmcall enable web '],
    ['vmcall export --format h', 'vmcall export --format hgrm '],
  ])('%s', async (line, whole) => expect(await completed(line)).toBe(whole));
});

describe('fish completes', () => {
  async function offers(line: string): Promise<string[]> {
    const words = ['--no-config', '-c', `source ${folder}/vmcall.fish; complete --do-complete '${line}'`];
    const { stdout } = await execa('fish', words, { env: { PATH: `${folder}:${process.env.PATH}` } });
    return stdout.split('\n').map((offer) => offer.split('\t')[0] ?? '');
  }

  test.each([
    ['vmcall fo', ['forget']],
    ['vmcall tune pl', ['plan']],
    ['vmcall enable --dr', ['--dry-run']],
    ['vmcall enable w', ['web']],
    ['vmcall export --format h', ['hgrm']],
  ])('%s', async (line, words) => expect(await offers(line)).toEqual(words));
});
