// SPDX-License-Identifier: Apache-2.0
// `npm start` and `npm test`: from a bare clone to the running command. Plain JavaScript, because nothing is
// installed or compiled yet. Each step does nothing if it was done before.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { preflight } from './preflight.mjs';

const unsupported = 4;
const root = resolve(import.meta.dirname, '../..');
const cacheRoot = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'vmcall');
process.chdir(root);

/** @param {string} text */
const say = (text) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);

/** @param {number} code @param {string} text @returns {never} */
function fail(code, text) {
  process.stderr.write(`${text}\n`);
  process.exit(code);
}

/**
 * Runs a step with its output on stderr; stdout is for results alone.
 * @param {string} command @param {string[]} words
 */
const step = (command, words) => spawnSync(command, words, { stdio: ['ignore', 2, 2] }).status === 0;

/** @param {string} path */
const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

/** The newest change below a folder, of files the compiler reads. @param {string} folder @returns {number} */
function newestSource(folder) {
  if (!existsSync(folder)) return 0;
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) newest = Math.max(newest, newestSource(path));
    else if (entry.name.endsWith('.ts')) newest = Math.max(newest, modified(path));
  }
  return newest;
}

/** @param {number} pid @returns {number} its parent (proc(5): the fourth field); 0 if it is gone */
function parentOf(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]);
  } catch {
    return 0;
  }
}

/** npm's own cache is in the home: where that cannot be written to, ours. @returns {string[]} words for npm */
function npmCache() {
  const own = process.env.npm_config_cache || join(homedir(), '.npm');
  try {
    mkdirSync(own, { recursive: true });
    accessSync(own, constants.W_OK);
    return [];
  } catch {
    return ['--cache', join(cacheRoot, 'npm')];
  }
}

// A parent that is killed outright cannot tell us, and an orphan must not go on holding the machine. Between npm and
// us is a shell, which would outlive npm.
const parent = process.ppid;
const npm = process.env.npm_lifecycle_event ? parentOf(parent) : undefined;
const orphaned = () => process.ppid !== parent || (npm !== undefined && parentOf(parent) !== npm);
setInterval(() => orphaned() && process.kill(process.pid, 'SIGTERM'), 1000).unref();

const missing = await preflight({ cacheRoot });
if (missing.length > 0)
  fail(unsupported, missing.map(({ code, problem, cure }) => `${code}: ${problem}\n  ${cure}`).join('\n'));

if (modified('node_modules/.package-lock.json') < modified('package-lock.json')) {
  say('installing npm packages');
  if (
    !step('npm', [
      'ci',
      ...npmCache(),
      '--loglevel=error',
      '--no-audit',
      '--no-fund',
      '--fetch-retries=1',
      '--fetch-timeout=60000',
    ])
  )
    fail(
      unsupported,
      'SETUP_NPM_FAILED: npm packages could not be installed\n  Check the network, then run the same command again',
    );
}
const sources = ['src', 'test', 'host-agent', 'guest-agent', 'packaging'];
if (modified('dist/.tsbuildinfo') < Math.max(modified('tsconfig.json'), ...sources.map(newestSource))) {
  say('compiling TypeScript');
  if (!step(process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-b']))
    fail(
      1,
      'SETUP_COMPILE_FAILED: the TypeScript sources do not compile\n  The errors above name the places',
    );
}

process.argv.splice(1, 1, join(root, 'dist', 'src', 'developer-cli', 'main.js'));
await import(pathToFileURL(/** @type {string} */ (process.argv[1])).href);
