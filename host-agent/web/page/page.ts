// SPDX-License-Identifier: Apache-2.0
// The page for browsers: signs in, watches, draws. What it is sent is text to it, never markup.
import type { LiveDomain, LiveMessage, ObservedMessage } from '../../../src/protocol/live.js';

const tokenKey = 'vmcall-token';
const retryMs = 2_000;
/** As in `vmcall top`: three reports did not come. */
const staleMs = 3_500;
/** Two minutes of p99 behind each domain. */
const historyMost = 120;
const line = { width: 240, height: 48, margin: 3 } as const;

function element<E extends Element = HTMLElement>(selector: string, within: ParentNode = document): E {
  const found = within.querySelector<E>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}

const say = (selector: string, text: string, within: ParentNode = document) => {
  const at = element(selector, within);
  if (at.textContent !== text) at.textContent = text;
};
const show = (selector: string, isShown: boolean) => {
  element(selector).hidden = !isShown;
};

/** Three digits, or as many as it has before its point. */
function short(value: number): string {
  if (value === 0 || value >= 99.95) return Math.round(value).toLocaleString('en');
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

const perSecond = (count: number, elapsedUs: number) => (count / elapsedUs) * 1e6;

const cards = new Map<string, { card: HTMLElement; p99: (number | null)[] }>();

function cardOf(uuid: string) {
  let known = cards.get(uuid);
  if (!known) {
    const copy = element<HTMLTemplateElement>('#domain').content.cloneNode(true) as DocumentFragment;
    known = { card: element('article', copy), p99: [] };
    cards.set(uuid, known);
  }
  return known;
}

function drawLine(card: HTMLElement, values: readonly (number | null)[], name: string): void {
  // Room above, so that a steady line does not lie on the edge.
  const most = 1.25 * Math.max(1, ...values.map((value) => value ?? 0));
  const { width, height, margin } = line;
  let isDown = false;
  const path = values.map((value, at) => {
    if (value === null) {
      isDown = false;
      return '';
    }
    const x = width - ((values.length - 1 - at) * width) / (historyMost - 1);
    const y = height - margin - (value / most) * (height - 2 * margin);
    const command = isDown ? 'L' : 'M';
    isDown = true;
    return `${command}${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  element('path', element('.line', card)).setAttribute('d', path.join(''));
  const label = `p99 wake latency of ${name}, the last ${values.length} seconds, at most ${short(most / 1250)} microseconds`;
  element('.line', card).setAttribute('aria-label', label);
}

/** A path as people call it. */
function titleOf(path: string): string {
  if (path === 'vmcall') return 'VM call';
  return path === 'pv-kick' ? 'PV kick' : path;
}

function drawDomain(domain: LiveDomain): HTMLElement {
  const { uuid, name, state, desired, actual, phase, reason, session, interval } = domain;
  const { card, p99 } = cardOf(uuid);
  const isOld = !interval || interval.age_ms > staleMs;
  say('h2', name, card);
  const badge = element('.actual', card);
  badge.className = `actual ${actual}`;
  say('.actual', titleOf(actual), card);
  const wanted = titleOf(desired);
  say(
    '.desired',
    phase === 'reached' ? 'as desired' : `${phase === 'moving' ? 'on its way to' : 'wanted:'} ${wanted}`,
    card,
  );
  const notes = [
    reason ? `${reason.code}: ${reason.message}` : '',
    state === 'running' ? '' : state === 'paused' ? 'paused' : 'does not run',
    state === 'running' && !session && reason?.code !== 'GUEST_ABSENT'
      ? 'no session with its guest agent'
      : '',
    interval && isOld ? `nothing reported for ${Math.round(interval.age_ms / 1000)} s` : '',
  ];
  say('.why', notes.filter((note) => note !== '').join(' · '), card);

  const latency = interval?.wake_latency;
  for (const [figure, ns] of [
    ['p50', latency?.p50],
    ['p99', latency?.p99],
    ['max', latency?.max],
  ] as const) {
    const at = element(`.${figure}`, card);
    const unit = document.createElement('small');
    unit.textContent = ' µs';
    at.replaceChildren(...(ns === undefined ? ['–'] : [short(ns / 1000), unit]));
  }
  p99.push(isOld ? null : (latency?.p99 ?? null));
  if (p99.length > historyMost) p99.shift();
  drawLine(card, p99, name);
  const classes = {
    blocked: phase === 'blocked',
    old: isOld,
    silent: interval === null,
    untimed: p99.every((value) => value === null),
  };
  for (const [kind, isOne] of Object.entries(classes)) card.classList.toggle(kind, isOne);

  const rate = (count: number) => (interval ? short(perSecond(count, interval.elapsed_us)) : '–');
  const wakes = Object.entries(interval?.wakes ?? {}).filter(([, count]) => count > 0);
  say('.rx', rate(interval?.rx ?? 0), card);
  say('.wakes', rate(wakes.reduce((sum, [, count]) => sum + count, 0)), card);
  const asleep = interval ? Math.min(1, interval.waited_us / interval.elapsed_us) : undefined;
  say('.asleep', asleep === undefined ? '–' : `${(100 * asleep).toFixed(0)} %`, card);
  const reasons = wakes.map(([why, count]) => {
    const of = document.createElement('span');
    const figure = document.createElement('b');
    figure.textContent = rate(count);
    of.append(`${why} `, figure);
    return of;
  });
  element('.reasons', card).replaceChildren(...(reasons.length > 0 ? ['wakes/s: ', ...reasons] : []));
  return card;
}

function draw(domains: readonly LiveDomain[], { libvirt, left_out: leftOut }: LiveMessage): void {
  const count = (is: (domain: LiveDomain) => boolean) => String(domains.filter(is).length);
  say(
    '#running',
    count(({ state }) => state === 'running'),
  );
  say(
    '#on-vmcall',
    count(({ actual }) => actual === 'vmcall'),
  );
  const blocked = count(({ phase }) => phase === 'blocked');
  say('#blocked', blocked);
  element('#blocked').className = blocked === '0' ? '' : 'alarm';
  const rate = domains.reduce(
    (sum, { interval }) =>
      sum + (interval && interval.age_ms <= staleMs ? perSecond(interval.rx, interval.elapsed_us) : 0),
    0,
  );
  say('#rate', Math.round(rate).toLocaleString('en'));
  const notices = [
    libvirt ? '' : 'The host agent has no connection to libvirt.',
    leftOut > 0 ? `${leftOut} more domains have no room here.` : '',
  ]
    .join(' ')
    .trim();
  say('#notice', notices);
  show('#notice', notices !== '');
  show('#empty', domains.length === 0);
  const shown = new Set(domains.map(({ uuid }) => uuid));
  for (const uuid of cards.keys()) if (!shown.has(uuid)) cards.delete(uuid);
  const wanted = domains.map(drawDomain);
  const list = element('#domains');
  // Only if something moved: a reader's selection outlives a second.
  if (wanted.some((card, at) => list.children[at] !== card) || list.children.length !== wanted.length)
    list.replaceChildren(...wanted);
}

function connection(kind: 'live' | 'lost' | '', text: string): void {
  element('#connection').className = kind;
  say('#connection', text);
}

function askForToken(refusal: string): void {
  show('#live', false);
  show('#sign-in', true);
  connection('', 'signed out');
  say('#refusal', refusal);
  element('#token').focus();
}

function watch(token: string): void {
  const socket = new WebSocket(
    `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/observer`,
    ['vmcall.v1', `vmcall.token.${token}`],
  );
  const parts: LiveMessage[] = [];
  let wasOpen = false;
  socket.addEventListener('open', () => {
    wasOpen = true;
    socket.send(JSON.stringify({ type: 'hello', versions: [1], capabilities: [], agent: 'vmcall page' }));
  });
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as ObservedMessage;
    if (message.type === 'ack') {
      sessionStorage.setItem(tokenKey, token);
      show('#sign-in', false);
      show('#live', true);
      return;
    }
    if (message.part === 1) parts.length = 0;
    parts.push(message);
    if (message.part !== message.parts) return;
    connection('live', 'live');
    draw(
      parts.flatMap(({ domains }) => domains),
      message,
    );
  });
  socket.addEventListener('close', ({ reason }) => void closed(token, wasOpen, reason));
}

/** A browser does not say why a WebSocket was refused: if the page itself answers, it was the token. */
async function closed(token: string, wasOpen: boolean, reason: string): Promise<void> {
  if (!wasOpen && sessionStorage.getItem(tokenKey) !== token) {
    const answers = await fetch('/', { method: 'HEAD' }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answers) return askForToken('That is not the token of this host agent, or 16 others watch already.');
  }
  connection('lost', reason === '' ? 'no answer; retrying' : `${reason}; retrying`);
  setTimeout(() => watch(token), retryMs);
}

element<HTMLFormElement>('#sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  const token = element<HTMLInputElement>('#token').value.trim();
  // Others cannot stand in a header.
  if (/^[A-Za-z0-9_-]{43}$/.test(token)) watch(token);
  else say('#refusal', 'A token has 43 characters: letters, digits, - and _.');
});

say('#host', location.host);
// From a link's fragment, which goes to no server; taken out of the address, and so out of the history.
const given = location.hash.slice(1);
if (given) history.replaceState(null, '', location.pathname);
const token = given || sessionStorage.getItem(tokenKey);
if (token && /^[A-Za-z0-9_-]{43}$/.test(token)) watch(token);
else askForToken('');
