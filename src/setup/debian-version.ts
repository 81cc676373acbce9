// SPDX-License-Identifier: Apache-2.0

/**
 * The order of two Debian versions, as deb-version(7) has it.
 * @returns below 0 if `a` is the older, above 0 if it is the newer
 */
export function compareVersions(a: string, b: string): number {
  const [one, other] = [split(a), split(b)];
  return (
    one.epoch - other.epoch ||
    compareParts(one.upstream, other.upstream) ||
    compareParts(one.revision, other.revision)
  );
}

function split(version: string): { epoch: number; upstream: string; revision: string } {
  const [, epoch = '0', rest = ''] = /^(?:(\d+):)?(.*)$/.exec(version) ?? [];
  const dash = rest.lastIndexOf('-');
  return {
    epoch: Number(epoch),
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? '' : rest.slice(dash + 1),
  };
}

/** Runs of other characters and runs of digits take turns. */
function compareParts(a: string, b: string): number {
  const [one, other] = [runs(a), runs(b)];
  for (let i = 0; i < Math.max(one.length, other.length); i++) {
    const [left = { text: '', number: 0 }, right = { text: '', number: 0 }] = [one[i], other[i]];
    const order = compareText(left.text, right.text) || left.number - right.number;
    if (order !== 0) return order;
  }
  return 0;
}

const runs = (part: string) =>
  [...part.matchAll(/(\D*)(\d*)/g)].map(([, text = '', digits]) => ({ text, number: Number(digits) }));

/** A tilde comes before the end, the end before letters, letters before all else. */
const rank = (character: string | undefined) => {
  if (character === '~') return -1;
  if (character === undefined) return 0;
  return /[A-Za-z]/.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 256;
};

function compareText(a: string, b: string): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = rank(a[i]) - rank(b[i]);
    if (order !== 0) return order;
  }
  return 0;
}
