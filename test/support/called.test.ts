// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { type Called, called, uuidOf } from '../../src/support/called.js';

const uuid = 'b2a0f9f6-54a1-4c9d-8a55-0f6c2f1d7e10';
const all: Called[] = [
  { name: 'router', uuid, ids: ['3'] },
  { name: '3', uuid: 'c2a0f9f6-54a1-4c9d-8a55-0f6c2f1d7e11', ids: ['4'] },
  { name: uuid.toUpperCase(), uuid: null, ids: [] },
];
const one = (word: string, among = all) => called(among, word, (entry) => entry)?.name;

describe('which domain a word means', () => {
  test.each([
    ['router', 'router'],
    ['4', '3'],
    ['C2A0F9F654A14C9D8A550F6C2F1D7E11', '3'],
    ['rout', undefined],
    ['ROUTER', undefined],
    ['', undefined],
  ])('"%s" is %s', (word, name) => expect(one(word)).toBe(name));

  test.each([['3'], [uuid.toUpperCase()]])(
    '"%s" is refused: it is one’s name and another’s id or UUID',
    (word) => {
      expect(() => one(word)).toThrow(expect.objectContaining({ code: 'DOMAIN_AMBIGUOUS', exitCode: 2 }));
    },
  );

  test('its own name and id alike is no ambiguity', () => {
    expect(one('5', [{ name: '5', uuid: null, ids: ['5'] }])).toBe('5');
  });

  test.each([['b2a0f9f6'], ['not-a-uuid'], [`${uuid}0`]])('%s is no UUID', (text) => {
    expect(uuidOf(text)).toBeNull();
  });
});
