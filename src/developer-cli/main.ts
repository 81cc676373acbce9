#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
import { runProgram } from '../cli/program.js';
import { verbs } from '../cli/verbs.js';
import { developerVerbs } from './verbs.js';

await runProgram([...verbs, ...developerVerbs].toSorted((a, b) => (a.name < b.name ? -1 : 1)));
