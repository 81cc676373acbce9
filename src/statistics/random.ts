// SPDX-License-Identifier: Apache-2.0
import { randomBinomial } from 'd3-random';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { mersenne } from 'pure-rand/generator/mersenne';

/** Draws that repeat exactly for the same seed. */
export interface Random {
  /** From 0 (included) to 1 (excluded). */
  uniform(): number;
  /** A whole number from 0 to `below` - 1. */
  index(below: number): number;
  /** How many of `trials` succeed, each with `probability`. */
  binomial(trials: number, probability: number): number;
}

/** The Mersenne Twister: its seeding spreads small seeds well. */
export function seededRandom(seed: number): Random {
  const generator = mersenne(seed);
  const uniform = () => uniformFloat64(generator);
  const binomial = randomBinomial.source(uniform);
  return {
    uniform,
    index: (below) => Math.floor(uniform() * below),
    binomial: (trials, probability) => binomial(trials, probability)(),
  };
}
