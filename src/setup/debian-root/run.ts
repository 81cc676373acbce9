// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { execa } from 'execa';
import { cacheRoot, projectRoot } from '../../support/paths.js';
import type { Progress } from '../../support/progress.js';
import { here } from '../build.js';
import type { SupportedDistribution } from '../supported.js';
import { makeRoot } from './make.js';

/** Variables of this machine that a command in there is given too: those of terminal, network, CI and the tests. */
const passedOn = /^(?:TERM|COLORTERM|CI|NO_COLOR|FORCE_COLOR|[a-z]+_proxy|[A-Z]+_PROXY|VMCALL_.*)$/;

/** Where a release's root folder is, and beside it what was built and measured in it, for all clones. */
export function shelfOf({ id, version }: SupportedDistribution): string {
  return join(cacheRoot, 'roots', `${id}-${version}`);
}

/** Where this clone keeps what it has beside its files: what npm installs and tsc writes is another release's. */
export function outputOf({ id, version }: SupportedDistribution): string {
  return here(`.${id}-${version}`);
}

/**
 * Runs a command in the root folder of another release, with this clone at `/srv/vmcall`; stdin, stdout and stderr are
 * the command's. It has namespaces of its own for processes and mounts, and this machine's network and devices.
 * @returns its exit code
 */
export async function runIn(
  distribution: SupportedDistribution,
  command: readonly string[],
  progress: Progress,
): Promise<number> {
  const shelf = shelfOf(distribution);
  const root = join(shelf, 'root');
  await makeRoot(root, distribution, progress);
  // However this process ends, by the kernel no other is left of it.
  const namespaces = [
    'setpriv',
    '--pdeathsig',
    'KILL',
    'unshare',
    '--mount',
    '--pid',
    '--fork',
    '--kill-child=KILL',
  ];
  const enter = [here('src', 'setup', 'debian-root', 'enter.sh'), root, shelf, projectRoot];
  const [program = '', ...words] = [...namespaces, ...enter, outputOf(distribution), ...command];
  // Ctrl-C is for the command, which has the same terminal: it may have something to keep.
  process.on('SIGINT', () => {});
  const { exitCode } = await execa(program, words, {
    stdio: 'inherit',
    reject: false,
    extendEnv: false,
    env: await environment(),
  });
  return exitCode ?? 1;
}

async function environment(): Promise<Record<string, string>> {
  const ours = Object.entries(process.env).flatMap(([name, value]) =>
    value !== undefined && passedOn.test(name) ? [[name, value] as const] : [],
  );
  // Here npm may have it from a file of the user's.
  const { stdout: registry } = await execa('npm', ['config', 'get', 'registry'], { cwd: '/', reject: false });
  const authorities = '/etc/ssl/certs/ca-certificates.crt';
  return {
    ...Object.fromEntries(ours),
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    USER: 'root',
    LANG: 'C.UTF-8',
    NODE_EXTRA_CA_CERTS: authorities,
    ...(/^https?:/.test(registry) ? { npm_config_registry: registry.trim() } : {}),
  };
}
