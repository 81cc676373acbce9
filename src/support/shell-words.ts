// SPDX-License-Identifier: Apache-2.0

/** A word as a shell takes it: one, whatever is in it. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
