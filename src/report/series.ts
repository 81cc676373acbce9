// SPDX-License-Identifier: Apache-2.0
import type { Run } from '../comparison/compare.js';
import { distributionOf } from '../results/histogram.js';
import { isMain } from '../results/main-path.js';
import type { PathResult } from '../results/schema.js';
import type { Distribution } from '../statistics/distribution.js';

/** A line of the plots: one path of one run. */
export interface Series {
  path: PathResult;
  label: string;
  colour: string;
  /** SVG's stroke-dasharray. */
  dash: string;
  width: number;
  distribution: Distribution;
}

const shortTitles: Readonly<Record<string, string>> = {
  poll: 'Polling',
  injected: 'Injected',
  'injected-hard-isr': 'Injected, hard ISR',
  'pv-kick': 'PV kick',
  vmcall: 'VM call',
  'native-interrupt': 'Host, interrupt',
  'native-poll': 'Host, polling',
};

/** A path's name for a person, short enough for a plot. */
export const shortTitle = (name: string) => shortTitles[name] ?? name;

const dashes: Readonly<Record<string, string>> = {
  poll: '1.5 3',
  'injected-hard-isr': '7 3',
  'pv-kick': '4 2',
  'native-interrupt': '10 3 2 3',
};
const spare = ['other', 'other-2', 'native-interrupt', 'injected-hard-isr', 'injected', 'vmcall'];

/** The colour of a path; one not of ours takes its turn in what the palette has left. */
export function colourOf(name: string, place: number): string {
  const known = Object.hasOwn(shortTitles, name) ? name : spare[place % spare.length];
  return `var(--${known})`;
}

/** Letters for runs, where there are several. */
export const runLetter = (index: number) => String.fromCharCode(65 + index);

/** The lines of the plots. Paths that received nothing have none; of several runs each has its letter and dash. */
export function seriesOf(runs: readonly Run[]): Series[] {
  return runs.flatMap(({ result }, run) =>
    result.paths
      .filter(({ received }) => received > 0)
      .map((path, place) => ({
        path,
        label: runs.length > 1 ? `${shortTitle(path.name)} · ${runLetter(run)}` : shortTitle(path.name),
        colour: colourOf(path.name, place),
        dash:
          runs.length > 1
            ? (['none', '6 3', '2 3', '10 3 2 3'][run] ?? 'none')
            : (dashes[path.name] ?? 'none'),
        width: isMain(path.name) ? 2.5 : 1.75,
        distribution: distributionOf(path.latency_histogram, path.latency_ns),
      }))
      .filter(({ distribution }) => distribution.total > 0),
  );
}
