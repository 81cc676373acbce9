// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { formatDesired, parseDesired } from '../../../host-agent/libvirt/metadata.js';
import { YieldEvidence } from '../../../host-agent/switch/evidence.js';

describe('the desired path in the metadata', () => {
  test.each([
    formatDesired('vmcall'),
    '<desired path="vmcall"/>',
    '<desired path="vmcall"></desired>',
    "\n <desired\n  path='vmcall' />\n",
  ])('is read from %j', (xml) => {
    expect(parseDesired(xml)).toEqual({ path: 'vmcall' });
  });

  test.each([
    ['another path', '<desired path="fast"/>', 'path: '],
    ['no path', '<desired/>', 'path: '],
    ['an attribute too many', '<desired path="vmcall" more="1"/>', 'desired: '],
    ['another element', '<wanted path="vmcall"/>', 'is not <desired'],
    ['contents', '<desired path="vmcall">x</desired>', 'is not <desired'],
    ['a prototype', '<desired __proto__="vmcall"/>', 'path: '],
    ['nothing', '', 'is not <desired'],
    ['no end', `<desired path="vmcall"${' '.repeat(5000)}/>`, 'is not <desired'],
  ])('is reported and not used with %s', (_what, xml, problem) => {
    expect(parseDesired(xml)).toEqual({ problem: expect.stringContaining(problem) });
  });

  test('an attribute of 3,000 characters is cut in the message', () => {
    const read = parseDesired(`<desired path="vmcall" ${'x'.repeat(3000)}="1"/>`);
    expect('problem' in read && read.problem.length).toBeLessThan(400);
    expect(read).toEqual({ problem: expect.stringContaining('desired: ') });
  });

  test('an element made to be slow to read is not', { timeout: 5000 }, () => {
    expect(parseDesired(`<desired${' a="b"'.repeat(680)}!`)).toHaveProperty('problem');
    expect(parseDesired(`<desired${' '.repeat(4000)}!`)).toHaveProperty('problem');
  });
});

describe('the evidence of VM calls', () => {
  test('is awaited, counted, and missing after the time set', () => {
    const evidence = new YieldEvidence(0);
    evidence.read(5, 0);
    expect(evidence.judge(10, 100)).toBe('awaited');
    evidence.read(6, 20);
    expect(evidence.judge(120, 100)).toBe('counted');
    expect(evidence.judge(121, 100)).toBe('missing');
  });

  test('starts again when the guest is told, and with another VM', () => {
    const evidence = new YieldEvidence(0);
    evidence.read(5, 0);
    evidence.read(6, 10);
    evidence.begin(20);
    expect(evidence.judge(30, 100)).toBe('awaited');
    evidence.read(0, 40);
    expect(evidence.judge(130, 100)).toBe('missing');
    evidence.read(1, 140);
    expect(evidence.judge(141, 100)).toBe('counted');
  });

  test('is not missing of a guest that gets packets without a pause, and is of one that sleeps without calls', () => {
    const evidence = new YieldEvidence(0);
    const hear = (rx: number, waits: number, now: number) =>
      evidence.hear({ measurement: 'm', counters: { rx, waits } }, now);
    evidence.read(5, 0);
    hear(100, 0, 50);
    hear(200, 0, 150);
    expect(evidence.judge(200, 100)).toBe('busy');
    expect(evidence.judge(300, 100)).toBe('missing');
    hear(300, 7, 290);
    hear(400, 7, 300);
    expect(evidence.judge(300, 100)).toBe('missing');
    evidence.begin(400);
    expect(evidence.judge(400, 100)).toBe('awaited');
    // Nothing received and no sleep: on the VM-call path that is no honest guest's.
    hear(400, 7, 520);
    expect(evidence.judge(520, 100)).toBe('missing');
  });
});
