// SPDX-License-Identifier: Apache-2.0
import type { CStateTable } from '../../host-agent/tuning/cstates.js';
import { deckCStates, deckHardware } from '../results/deck.js';
import { align } from '../results/table.js';

const us = (ns: number) => (ns / 1000).toFixed(1);

/** Older kernels name the model too: C3-HSW. */
const plainName = (state: string) => state.split('-')[0] ?? state;

/** The deck's table of C-states: ours, and the deck's own averages in a row of their own. */
export function renderCStates({ cpu, model, driver, rows }: CStateTable): string {
  const line = (head: string, cell: (row: CStateTable['rows'][number]) => string) => [
    head,
    ...rows.map(cell),
  ];
  return [
    align([
      line('Max C-state', ({ state }) => state),
      line('Latency, average, us', ({ latency_ns }) => us(latency_ns.avg)),
      line('  minimum', ({ latency_ns }) => us(latency_ns.min)),
      line('  maximum', ({ latency_ns }) => us(latency_ns.max)),
      line('C-state exit latency, us *', ({ exit_latency_us }) => String(exit_latency_us)),
      line('Deepest state entered', ({ entered }) => entered ?? 'none'),
      line(
        "The KVM4NFV talk's average, us **",
        ({ state }) => deckCStates[plainName(state)]?.toString() ?? '-',
      ),
    ]),
    `* As cpuidle (${driver}) reports for CPU ${cpu}, ${model}.`,
    `** On its hardware (${deckHardware}); not comparable with ours in absolute terms.`,
  ].join('\n');
}
