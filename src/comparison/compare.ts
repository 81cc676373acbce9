// SPDX-License-Identifier: Apache-2.0
import type { PathResult, Result } from '../results/schema.js';
import { describePartial } from '../results/words.js';
import { confidence } from '../statistics/bootstrap.js';
import { compareSamples } from '../statistics/compare.js';
import { VmcallError } from '../support/errors.js';
import { repeatTolerance, sampleOf } from './sample.js';
import { type Comparison, comparisonSchema, type Pair, type Side } from './schema.js';
import { findUnlike, notesOn, unlikeError } from './unlike.js';
import { caveatsOf, verdictOf } from './words.js';

/** A run and where it was read from. */
export interface Run {
  source: string;
  result: Result;
}

const pathsOf = ({ result }: Run) => [...result.paths, ...result.references];

/** A path by name. Error: `COMPARE_NO_PATH`, with the names there are. */
export function findPath(run: Run, name: string): PathResult {
  const found = pathsOf(run).find((path) => path.name === name);
  if (found) return found;
  throw new VmcallError(
    'COMPARE_NO_PATH',
    `${run.source} has no path "${name}"`,
    `It has: ${pathsOf(run)
      .map((path) => path.name)
      .join(', ')}`,
  );
}

function sideOf({ source, result }: Run, path: PathResult): Side {
  const { name, title, received, lost, rounds } = path;
  const kept = rounds.filter(({ latency_histogram }) => latency_histogram !== null).length;
  return { source, made: result.made, path: name, title, received, lost, rounds: kept };
}

/** The second path against the first. Error: `COMPARE_NOTHING_RECEIVED`. */
export function comparePair(first: [Run, PathResult], second: [Run, PathResult]): Pair {
  const [[runA, a], [runB, b]] = [first, second];
  const [sampleA, sampleB] = [sampleOf(a), sampleOf(b)];
  for (const [path, { all }] of [[a, sampleA] as const, [b, sampleB] as const])
    if (all.total === 0)
      throw new VmcallError(
        'COMPARE_NOTHING_RECEIVED',
        `nothing came back on ${path.name}: it has no latency to compare`,
        'Compare another path, or run again',
      );
  const resolution = Math.max(runA.result.resolution_ns, runB.result.resolution_ns);
  const compared = compareSamples(sampleA, sampleB, {
    interleaved: runA === runB,
    resolution,
    repeatTolerance: (statistic) =>
      repeatTolerance(
        [
          [runA.result, a],
          [runB.result, b],
        ],
        statistic,
      ),
  });
  const { unit, resamples, seed, ranks } = compared;
  const measured = {
    first: sideOf(runA, a),
    second: sideOf(runB, b),
    differences: compared.differences.map((difference) => ({
      statistic: difference.statistic,
      first_ns: difference.first,
      second_ns: difference.second,
      difference_ns: difference.difference,
      interval_ns: difference.interval,
      tolerance_ns: difference.tolerance,
      verdict: difference.verdict,
      why_not_judged: difference.whyNotJudged,
    })),
    unit,
    resamples,
    seed,
    rank_test: {
      u: ranks.u,
      second_slower: ranks.secondAbove,
      z: ranks.z,
      p: ranks.p,
      why_not: ranks.whyNot,
    },
    beside: {
      exits_per_packet: [a.exits_per_packet, b.exits_per_packet],
      injected_interrupts_per_packet: [a.injected_interrupts_per_packet, b.injected_interrupts_per_packet],
      cpu_handed_back: [a.cpu_handed_back, b.cpu_handed_back],
    },
  } satisfies Omit<Pair, 'verdict' | 'caveats'>;
  return { ...measured, verdict: verdictOf(measured), caveats: caveatsOf(measured, runA.result.clock) };
}

function comparison(parts: Pick<Comparison, 'unlike' | 'notes' | 'pairs'>): Comparison {
  const several = parts.pairs.length > 1;
  return comparisonSchema.parse({
    format: 'vmcall-comparison',
    version: 1,
    confidence,
    ...parts,
    notes: [
      ...parts.notes,
      ...(several
        ? [
            `${parts.pairs.length} comparisons at 95 % each: with no difference at all, one in 20 would show one.`,
          ]
        : []),
    ],
  } satisfies Comparison);
}

/** Two paths of one run, whose rounds took turns. */
export function compareInside(run: Run, [first, second]: readonly [string, string]): Comparison {
  const pairs = [comparePair([run, findPath(run, first)], [run, findPath(run, second)])];
  return comparison({ unlike: [], notes: partialNotes([run]), pairs });
}

/**
 * Two runs: the paths they share, or one named path of each. Errors: `COMPARE_UNLIKE` unless `force`,
 * `COMPARE_NO_PATH`.
 */
export function compareRuns(
  first: Run,
  second: Run,
  { paths, force }: { paths: readonly [string, string] | undefined; force: boolean },
): Comparison {
  const unlike = findUnlike(first.result, second.result);
  if (unlike.length > 0 && !force) throw unlikeError(unlike);
  const names = paths ? [paths] : shared(first, second).map((name) => [name, name] as const);
  const pairs = names.map(([a, b]) =>
    comparePair([first, findPath(first, a)], [second, findPath(second, b)]),
  );
  const notes = [...partialNotes([first, second]), ...notesOn(first.result, second.result)];
  return comparison({ unlike, notes, pairs });
}

function partialNotes(runs: readonly Run[]): string[] {
  return runs.flatMap(({ source, result }) => {
    const partial = describePartial(result);
    return partial ? [`${source} is partial: ${partial}.`] : [];
  });
}

function shared(first: Run, second: Run): string[] {
  const others = new Set(pathsOf(second).map((path) => path.name));
  const names = pathsOf(first).flatMap(({ name }) => (others.has(name) ? [name] : []));
  if (names.length > 0) return names;
  throw new VmcallError(
    'COMPARE_NO_PATH',
    'the runs have no path in common',
    `Name one of each with --paths: ${[first, second].map((run) => pathsOf(run).map(({ name }) => name)).join(' | ')}`,
  );
}
