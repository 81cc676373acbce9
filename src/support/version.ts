// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gitWords } from './git.js';
import { projectRoot } from './paths.js';

interface PackageFile {
  version: string;
  /** What the packages were built from; a clone asks git, and looks at its own folders. */
  commit?: string;
  series?: string[];
}

const packageFile = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as PackageFile;

/** This project's version, as package.json has it. */
export const projectVersion = packageFile.version;

/** What `--version` says: version, commit, and the kernels that the series is for. */
export function versionText(): string {
  const commit = packageFile.commit ?? commitOfClone();
  const series = packageFile.series ?? seriesOfClone();
  return `vmcall ${projectVersion}${commit ? ` (${commit})` : ''}\nseries for Linux ${series.join(', ')}`;
}

/** Undefined where there is no git, or no repository. */
function commitOfClone(): string | undefined {
  try {
    const words = [...gitWords, 'describe', '--always', '--dirty', '--exclude=*'];
    return execFileSync('git', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

/** The versions of Linux that `kernel-patches/` has a series for, oldest first. */
function seriesOfClone(): string[] {
  return readdirSync(join(projectRoot, 'kernel-patches'))
    .filter((name) => /^\d+\.\d+$/.test(name))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}
