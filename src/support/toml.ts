// SPDX-License-Identifier: Apache-2.0
import { readFile, stat } from 'node:fs/promises';
import { parse, TomlError } from 'smol-toml';
import type { z } from 'zod';
import { exitCodes, VmcallError } from './errors.js';

const bytesMost = 64 * 1024;

/**
 * A configuration file in TOML, checked: each thing wrong is named with file, key and value, all of them at once.
 * @param secretKeys keys whose values are never shown, and for which the file must be closed to group and others
 * @throws VmcallError CONFIG_UNREADABLE, CONFIG_OPEN, CONFIG_SYNTAX, CONFIG_INVALID
 */
export async function readToml<T>(
  file: string,
  schema: z.ZodType<T>,
  secretKeys: readonly string[] = [],
): Promise<T> {
  const text = await readText(file, secretKeys.length > 0);
  return checkToml(file, text, schema, secretKeys);
}

async function readText(file: string, isSecret: boolean): Promise<string> {
  try {
    const found = await stat(file);
    const { mode, size } = found;
    if (!found.isFile()) throw new Error('not a regular file');
    if (isSecret && mode & 0o077)
      throw new VmcallError(
        'CONFIG_OPEN',
        `${file} holds a secret and has mode ${(mode & 0o777).toString(8)}`,
        `chmod 600 ${file}`,
        exitCodes.configuration,
      );
    if (size > bytesMost) throw new Error(`${size} bytes, more than ${bytesMost}`);
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof VmcallError) throw error;
    throw new VmcallError(
      'CONFIG_UNREADABLE',
      `${file}: ${(error as Error).message}`,
      'Name another file by --config, or make this one readable',
      exitCodes.configuration,
      { cause: error },
    );
  }
}

/** As `readToml`, of text that was read already. */
export function checkToml<T>(
  file: string,
  text: string,
  schema: z.ZodType<T>,
  secretKeys: readonly string[] = [],
): T {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    // The library's message quotes the lines around, which may hold a secret.
    const where = error instanceof TomlError ? `${file}:${error.line}:${error.column}` : file;
    const what = (error as Error).message.split('\n')[0]?.replace('Invalid TOML document: ', '');
    throw new VmcallError(
      'CONFIG_SYNTAX',
      `${where}: ${what}`,
      'See toml.io for the syntax',
      exitCodes.configuration,
    );
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.flatMap((issue) => describeIssue(file, value, issue, secretKeys));
  throw new VmcallError(
    'CONFIG_INVALID',
    lines.join('\n'),
    'Correct these values and start again, or reload',
    exitCodes.configuration,
  );
}

const notShown = '(not shown)';

/** A secret that was written to another key is one all the same: 256 bits in base64url have 43 characters. */
const withoutSecrets = (text: string) => text.replace(/[A-Za-z0-9_-]{43,}/g, notShown);

function describeIssue(
  file: string,
  root: unknown,
  issue: z.core.$ZodIssue,
  secretKeys: readonly string[],
): string[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `${file}: ${[...issue.path, key].join('.')}: no such key`);
  const key = issue.path.join('.') || 'the file';
  const value = issue.path.reduce<unknown>(
    (at, name) =>
      typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[name] : undefined,
    root,
  );
  if (value === undefined) return [`${file}: ${key} is missing: ${issue.message}`];
  // Of a table only what is wrong with it: there may be a secret in it.
  if (typeof value === 'object' && !Array.isArray(value)) return [`${file}: ${key}: ${issue.message}`];
  // Also of what stands where a table with a secret belongs, such as an array of tables.
  const isSecret = secretKeys.some((secret) => secret === key || secret.startsWith(`${key}.`));
  const text = JSON.stringify(value) ?? String(value);
  const shown = isSecret ? notShown : (secretKeys.length > 0 ? withoutSecrets(text) : text).slice(0, 120);
  return [`${file}: ${key} = ${shown}: ${issue.message}`];
}
