// SPDX-License-Identifier: Apache-2.0
import type { Picture } from './observe.js';
import { type Line, type Sorting, table } from './table.js';

export interface ScreenState {
  picture: Picture | undefined;
  sorting: Sorting;
  /** Domains above the first that is shown. */
  scroll: number;
  /** What stands in the way, e.g. a lost connection. */
  notice: string | undefined;
  /** hh:mm:ss */
  clock: string;
}

/** One line about all. */
export function summaryLine({ domains, libvirt, left_out: leftOut }: Picture, clock: string): string {
  const count = (is: (domain: Picture['domains'][number]) => boolean) => domains.filter(is).length;
  const kicked = count(({ actual }) => actual === 'pv-kick');
  const counts = [
    `${domains.length} domain${domains.length === 1 ? '' : 's'}`,
    `${count(({ state }) => state === 'running')} running`,
    `${count(({ actual }) => actual === 'vmcall')} on the VM call`,
    ...(kicked > 0 ? [`${kicked} on the PV kick`] : []),
    `${count(({ phase }) => phase === 'blocked')} blocked`,
  ];
  return [
    `vmcall top - ${clock}`,
    counts.join(', '),
    ...(leftOut > 0 ? [`${leftOut} more not shown`] : []),
    ...(libvirt ? [] : ['no connection to libvirt']),
  ].join('   ');
}

const keys = 'q quit   sort by: n name, r rate, l p99   arrows scroll';

/** The whole screen: never more lines than it has rows. */
export function screen(state: ScreenState, width: number, height: number): Line[] {
  const { picture, sorting, notice, clock } = state;
  const first = picture ? summaryLine(picture, clock) : `vmcall top - ${clock}`;
  const second: Line = notice ? { text: notice, tone: 'bad' } : { text: keys, tone: 'soft' };
  const [head, ...rows] = picture ? table(picture, sorting, width) : [];
  const top: Line[] = [{ text: first, tone: 'plain' }, second, { text: '', tone: 'plain' }];
  if (head) top.push(head);
  const room = Math.max(0, height - top.length);
  const scroll = Math.min(state.scroll, Math.max(0, rows.length - room));
  const empty: Line[] =
    picture && rows.length === 0 ? [{ text: 'libvirt has no domains.', tone: 'soft' }] : [];
  return [...top, ...rows.slice(scroll, scroll + room), ...empty]
    .slice(0, height)
    .map(({ text, tone }) => ({ text: text.slice(0, width), tone }));
}
