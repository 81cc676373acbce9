// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { execa } from 'execa';
import { buildAddon } from '../../../src/setup/addon.js';
import { projectRoot } from '../../../src/support/paths.js';
import { stderrProgress } from '../../../src/support/progress.js';

/** For a run of these tests alone, on sources that no set-up has built. */
export const buildTimeout = 300_000;
export const builtAddon = (options = {}) => buildAddon(stderrProgress(), options);

/** What a program of `children/` did; `exitCode` is undefined if a signal or the deadline ended it. */
export interface Ended {
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
}

const folder = join(projectRoot, 'test', 'host-agent', 'native');

async function run(
  addon: string,
  name: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Ended> {
  const program = join(folder, 'children', `${name}.cjs`);
  const child = execa(process.execPath, ['--expose-gc', program, addon, ...words], {
    env,
    reject: false,
    stdin: 'ignore',
    timeout: 100_000,
    killSignal: 'SIGKILL',
  });
  const { exitCode, stdout, stderr } = await child;
  return { exitCode, stdout: stdout ?? '', stderr: stderr ?? '' };
}

/** Runs a program of `children/` in a Node of its own, with the addon's path and `words` as arguments. */
export async function runChild(name: string, ...words: string[]): Promise<Ended> {
  return run(await builtAddon(), name, words, {});
}

const sanitizers = {
  // Looked up with RTLD_NEXT, the XDR functions that libasan wraps are found only in a library loaded at start.
  library: 'libtirpc.so.3',
  // With the wrapper of __tls_get_addr, libasan 12 reads the TLS vectors of glibc 2.36 wrongly, and crashes.
  asan: 'intercept_tls_get_addr=0:exitcode=99',
  lsan: `suppressions=${join(folder, 'lsan.supp')}:print_suppressions=0`,
};

/** As runChild, with the sanitizers' addon; a report of theirs is on stderr and makes the exit code 99. */
export async function runSanitized(
  name: string,
  words: readonly string[],
  { leaks = true } = {},
): Promise<Ended> {
  const addon = await builtAddon({ sanitize: true });
  const { stdout: runtime } = await execa('g++', ['-print-file-name=libasan.so']);
  return run(addon, name, words, {
    LD_PRELOAD: `${runtime} ${sanitizers.library}`,
    ASAN_OPTIONS: `${sanitizers.asan}:detect_leaks=${leaks ? 1 : 0}`,
    LSAN_OPTIONS: sanitizers.lsan,
    UBSAN_OPTIONS: 'print_stacktrace=1',
  });
}
