// SPDX-License-Identifier: Apache-2.0
import { InvalidArgumentError } from 'commander';

/** A whole number in a range, for an option. */
export function whole(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < low || value > high)
      throw new InvalidArgumentError(`${text} is not a whole number from ${low} to ${high}.`);
    return value;
  };
}
