// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { closeCodes, errorCodes, standardCloseCodes } from '../../src/protocol/codes.js';
import { countersSchema } from '../../src/protocol/fields.js';
import { limits } from '../../src/protocol/limits.js';
import { observedMessageSchema, observerMessageSchema } from '../../src/protocol/live.js';
import { guestMessageSchema, hostMessageSchema, methods } from '../../src/protocol/messages.js';
import { commonCapabilities, negotiateVersion } from '../../src/protocol/version.js';
import { decodeMessage } from '../../src/protocol/wire.js';
import { projectRoot } from '../../src/support/paths.js';

const contract = readFileSync(join(projectRoot, 'src/protocol/PROTOCOL.md'), 'utf8');

const observers = contract.indexOf('## Observers');
const isOfObservers = (index: number) => index > observers && index < contract.indexOf('## ', observers + 2);

describe('PROTOCOL.md', () => {
  test('lists every code and method there is', () => {
    for (const code of [...Object.values(closeCodes), ...Object.values(standardCloseCodes)])
      if (code !== 1002 && code !== 1007)
        expect(contract).toMatch(new RegExp(`^\\| [0-9, ]*${code}[0-9, ]* \\|`, 'm'));
    for (const code of Object.keys(errorCodes)) expect(contract).toContain(`| \`${code}\``);
    for (const method of Object.keys(methods)) expect(contract).toContain(`| \`${method}\``);
  });

  test.each(
    [...contract.matchAll(/^(\{"type"[\s\S]*?\})$/gm)].map(
      ({ 0: text, index }) => [text.slice(0, 40), text, isOfObservers(index)] as const,
    ),
  )('its example %s is a message', (_start, text, ofObservers) => {
    const example = text
      .replaceAll('"UUID"', '"0b9e2f6c-7a4d-4b6e-9c11-2f8d4e6a1b3c"')
      .replace('HISTFAAAA...', 'HISTFAAA');
    const sides = ofObservers
      ? [decodeMessage(example, observerMessageSchema), decodeMessage(example, observedMessageSchema)]
      : [decodeMessage(example, guestMessageSchema), decodeMessage(example, hostMessageSchema)];
    expect(
      sides.filter((decoded) => 'message' in decoded),
      JSON.stringify(sides),
    ).toHaveLength(1);
  });
});

describe('versions and capabilities', () => {
  test('the highest common version, or none', () => {
    expect(negotiateVersion([1, 2, 9], [1, 2, 3])).toBe(2);
    expect(negotiateVersion([4], [1, 2, 3])).toBeUndefined();
  });

  test('only capabilities that both know', () => {
    expect(commonCapabilities(['path', 'levitation'])).toEqual(['path']);
  });
});

describe('a message with', () => {
  const error = { type: 'error', id: 1, code: 'BUSY', message: 'text' };
  test.each([
    ['a number beyond 2^53', { ...error, id: 2 ** 53 }, 'id'],
    ['a fraction', { ...error, id: 1.5 }, 'id'],
    ['control characters in a text', { ...error, message: 'a\u001b[31m' }, 'message'],
    ['a code nobody knows', { ...error, code: 'MAYBE' }, 'code'],
    ['an unknown type', { ...error, type: 'order' }, 'type'],
  ])('%s is bad, and the problem names its place alone', (_what, message, place) => {
    const decoded = decodeMessage(JSON.stringify(message), guestMessageSchema);
    expect(decoded).toEqual({ problem: expect.stringMatching(new RegExp(`^${place}: [a-z_]+$`)) });
  });
});

describe('counters', () => {
  const many = Object.fromEntries(Array.from({ length: limits.counters }, (_none, at) => [`c${at}`, at]));
  test.each([
    ['none', {}],
    ['as many as may be', many],
    ['the largest', { rx: 2 ** 53 - 1 }],
  ])('%s are taken as they are', (_what, counters) => {
    expect(countersSchema.parse(counters)).toEqual(counters);
  });
  test.each([
    ['too many', { ...many, more: 1 }],
    ['one below zero', { rx: -1 }],
    ['a fraction', { rx: 0.5 }],
    ['one beyond 2^53', { rx: 2 ** 53 }],
    ['a text', { rx: '1' }],
    ["another program's name", { __Rx: 1 }],
    ['a name of 41 characters', { [`r${'x'.repeat(40)}`]: 1 }],
    ['a list', [1]],
    ['nothing', null],
  ])('%s: refused', (_what, counters) => {
    expect(countersSchema.safeParse(counters).success).toBe(false);
  });
});
