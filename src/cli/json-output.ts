// SPDX-License-Identifier: Apache-2.0
import { Option } from 'commander';

export const jsonOption = () => new Option('--json', 'print one JSON document, and nothing else, on stdout');

export function printJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}
