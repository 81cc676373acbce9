// SPDX-License-Identifier: Apache-2.0
import type { Result } from '../results/schema.js';
import { VmcallError } from '../support/errors.js';
import type { Unlike } from './schema.js';

const known = (value: string | number | null | undefined) =>
  value === null || value === undefined || value === 'unknown' ? undefined : String(value);

/** What must be alike for a difference to be the paths' own. */
const facts: readonly { what: string; of: (result: Result) => string | undefined }[] = [
  { what: 'clock', of: ({ clock }) => known(clock) },
  { what: 'kind of latency', of: ({ quantity }) => known(quantity) },
  { what: 'traffic pattern', of: ({ traffic }) => known(traffic.pattern) },
  { what: 'packet interval, us', of: ({ traffic }) => known(traffic.interval_us) },
  { what: 'idle threshold, us', of: ({ traffic }) => known(traffic.idle_threshold_us) },
  { what: 'host kernel', of: ({ platform }) => known(platform.hostKernel) },
  { what: 'host CPU', of: ({ platform }) => known(platform.hostCpu) },
];

/** In what two runs are unlike, as far as they say. */
export function findUnlike(first: Result, second: Result): Unlike[] {
  return facts.flatMap(({ what, of }) => {
    const [a, b] = [of(first), of(second)];
    return a === b ? [] : [{ what, first: a ?? 'not known', second: b ?? 'not known' }];
  });
}

/** The error that a comparison of unlike runs ends in without --force: `COMPARE_UNLIKE`. */
export function unlikeError(unlike: readonly Unlike[]): VmcallError {
  const lines = unlike.map(({ what, first, second }) => `\n  ${what}: ${first}; ${second}`);
  return new VmcallError(
    'COMPARE_UNLIKE',
    `the runs differ in what makes latency differ, so a difference need not be the paths' own:${lines.join('')}`,
    'Compare runs that are alike, or paths inside one run; --force compares these all the same',
  );
}

/** What neither run says of the above, and builds that differ, which may be just what is compared. */
export function notesOn(first: Result, second: Result): string[] {
  const unknown = facts.filter(({ of }) => of(first) === undefined && of(second) === undefined);
  const keys = new Set([...Object.keys(first.platform), ...Object.keys(second.platform)]);
  const differing = [...keys]
    .filter((key) => /^module\.|version|qemu|dpdk|libvirt/i.test(key))
    .filter((key) => first.platform[key] !== second.platform[key]);
  return [
    ...(unknown.length > 0 ? [`Neither run says its ${unknown.map(({ what }) => what).join(', ')}.`] : []),
    ...(differing.length > 0
      ? [`The runs also differ in ${differing.sort().join(', ')}, which may be what is compared.`]
      : []),
  ];
}
