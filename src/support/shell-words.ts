// SPDX-License-Identifier: Apache-2.0

/** One word of a shell's command line, whatever is in it. */
export const shellWord = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
