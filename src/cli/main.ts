#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
import { runProgram } from './program.js';
import { verbs } from './verbs.js';

await runProgram(verbs);
