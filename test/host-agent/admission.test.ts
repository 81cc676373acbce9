// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { Admission, networkOf, type Place } from '../../host-agent/guest-sessions/admission.js';

const wide = { connections: 1e6, perAddress: 1e6, unauthenticated: 1e6, perSecond: 1e6, burst: 1e6 };

function enter(admission: Admission, address: string, now = 0): Place {
  const place = admission.enter(address, now);
  if (typeof place === 'string') throw new Error(place);
  return place;
}

describe('admission', () => {
  test('caps connections in total, and a place left is a place free, once', () => {
    const admission = new Admission({ ...wide, connections: 2 });
    const first = enter(admission, 'a');
    enter(admission, 'b');
    expect(admission.enter('c', 0)).toBe('connections');
    first.leave();
    first.leave();
    enter(admission, 'c');
    expect(admission.enter('d', 0)).toBe('connections');
  });

  test('caps connections of one address', () => {
    const admission = new Admission({ ...wide, perAddress: 1 });
    const place = enter(admission, 'a');
    expect(admission.enter('a', 0)).toBe('per-address');
    enter(admission, 'b');
    place.leave();
    enter(admission, 'a');
  });

  test('caps those without a secret, and only those', () => {
    const admission = new Admission({ ...wide, unauthenticated: 1 });
    const place = enter(admission, 'a');
    expect(admission.enter('b', 0)).toBe('unauthenticated');
    place.authenticate();
    enter(admission, 'b').leave();
    place.leave();
    enter(admission, 'c');
    expect(admission.enter('d', 0)).toBe('unauthenticated');
  });

  test('caps new connections of one address in time', () => {
    const admission = new Admission({ ...wide, perSecond: 1, burst: 2 });
    for (const place of [enter(admission, 'a'), enter(admission, 'a')]) place.leave();
    expect(admission.enter('a', 500)).toBe('rate');
    enter(admission, 'b', 500);
    enter(admission, 'a', 1000);
  });

  test('remembers a bounded number of addresses, and forgets the quiet ones first', () => {
    const admission = new Admission({ ...wide, perSecond: 1, burst: 2 });
    for (let i = 0; i < 4096; i++) enter(admission, `a${i}`).leave();
    expect(admission.enter('new', 0)).toBe('rate');
    enter(admission, 'new', 5000);
  });

  test('takes an IPv6 /64 for one peer, and an IPv4 address for itself', () => {
    const admission = new Admission({ ...wide, perAddress: 2 });
    enter(admission, '2001:db8:1:2::1');
    enter(admission, '2001:db8:1:2:ffff::9');
    expect(admission.enter('2001:db8:1:2:3:4:5:6', 0)).toBe('per-address');
    enter(admission, '2001:db8:1:3::1');
    expect(networkOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
    expect(networkOf('::ffff:192.0.2.1')).toBe('192.0.2.1');
    expect(networkOf('192.0.2.1')).toBe('192.0.2.1');
  });

  test('does not count who has shown a secret by its address', () => {
    const admission = new Admission({ ...wide, perAddress: 1 });
    enter(admission, 'a').authenticate();
    enter(admission, 'a').authenticate();
    enter(admission, 'a');
    expect(admission.enter('a', 0)).toBe('per-address');
  });

  test('never shuts out who was in before, however many others there are', () => {
    const admission = new Admission({
      connections: 3,
      perAddress: 2,
      unauthenticated: 2,
      perSecond: 1,
      burst: 3,
    });
    const before = enter(admission, 'fd00::5');
    before.authenticate();
    before.leave();
    // All of its own /64, until none of it may.
    for (let i = 0; i < 2; i++) enter(admission, `fd00::a${i}`);
    expect(admission.enter('fd00::b', 0)).toBe('per-address');
    enter(admission, 'fd00::5').authenticate();
    expect(admission.enter('192.0.2.1', 0)).toBe('connections');
    enter(admission, 'fd00::5');
  });
});
