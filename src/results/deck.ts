// SPDX-License-Identifier: Apache-2.0

/** The slides' own figures, us (min, avg, max), for the rows that have a counterpart there. Never ours. */
export const deckHardware = 'Xeon E5-2699 v3, X540-AT2, RT 4.4, MoonGen';

export const deckFigures: Readonly<Record<string, readonly [number, number, number]>> = {
  'native-interrupt': [9, 14, 21],
  injected: [9, 112, 7210],
  vmcall: [9, 20, 35],
};

/** The slides' before/after table, us (min, avg, max). */
export const deckBeforeAfter = {
  host: { before: [19, 105, 418], after: [9, 14, 21] },
  vm: { before: [9, 112, 7210], after: [9, 20, 35] },
} as const;

/** What the slides did on the row: their "before" and "after" are sets of changes, not ours one by one. */
export const deckRow: Readonly<Record<string, string>> = {
  'native-interrupt': 'host, after',
  injected: 'in-VM, before',
  vmcall: 'in-VM, after',
};

/** The slides' average latency, us, by the deepest C-state allowed (interrupt mode, on the host). */
export const deckCStates: Readonly<Record<string, number>> = { C0: 14, C1: 14.9, C3: 60.9, C6: 87.7 };
