// SPDX-License-Identifier: Apache-2.0
// The host agent's page in a real browser, served by a real host agent with a guest over TLS.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { withBrowser } from '../../../src/report/picture.js';
import { buildTimeout, builtAddon } from '../native/children.js';
import { domain, type HostBench } from '../support/host-bench.js';
import { startLiveBench } from '../support/live-bench.js';
import type { StandInGuest } from '../support/stand-in-guest.js';

let live: ReturnType<typeof startLiveBench> | undefined;
let bench: HostBench;
let guest: StandInGuest;
let url: string;
let token: string;
beforeAll(() => builtAddon(), buildTimeout);
beforeEach(async () => {
  live ??= startLiveBench(['web']);
  ({ bench, guest } = await live);
  url = `http://127.0.0.1:${await bench.port('web')}`;
  token = (await readFile(join(bench.folder, 'state', 'observer-token'), 'utf8')).trim();
  await bench.client.desire(domain.uuid, 'vmcall');
  await bench.until({ actual: 'vmcall' });
});
afterAll(() => bench.stop());

const views = [
  ['phone', 'light', { width: 390, height: 844 }],
  ['phone', 'dark', { width: 390, height: 844, dark: true }],
  ['desk', 'light', { width: 1280, height: 800 }],
  ['desk', 'dark', { width: 1280, height: 800, dark: true }],
] as const;

/** For a person to look at; nothing if unset. */
const pictures = process.env.VMCALL_PICTURES;
const keep = async (page: Page, name: string) => {
  if (pictures) await page.screenshot({ path: `${pictures}/${name}.png` });
};

const textOf = (page: Page, selector: string) =>
  page.$eval(selector, (element) => element.textContent ?? '').catch(() => '');
const shows = (page: Page, selector: string, what: RegExp) =>
  expect.poll(() => textOf(page, selector), { timeout: 20_000 }).toMatch(what);

/** Run in the page: how it lies on the screen. */
const look = `(() => {
  const rgb = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = (parts) => parts.slice(0, 3).map((part) => part / 255)
    .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length === 3) return colour;
    }
    return [255, 255, 255];
  };
  const texts = [...document.querySelectorAll('h1, h2, p, dt, dd, small, span, label, button, pre')]
    .filter((element) => element.getBoundingClientRect().width > 0 && element.textContent.trim() !== '');
  return {
    beyond: document.documentElement.scrollWidth - innerWidth,
    cut: texts.filter((element) => element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0)
      .map((element) => element.textContent),
    contrast: Math.min(...texts.map((element) => {
      const pair = [luminance(rgb(getComputedStyle(element).color)), luminance(ground(element))];
      return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    })),
    ground: rgb(getComputedStyle(document.body).backgroundColor)[0],
  };
})()`;
interface Look {
  beyond: number;
  cut: string[];
  contrast: number;
  ground: number;
}

describe('the page', () => {
  test.each(views)(
    'on a %s, %s: signs in, and shows the figures as they come',
    async (kind, shade, view) => {
      await withBrowser(view, async (page) => {
        const problems: string[] = [];
        page.on('pageerror', (error) => problems.push(String(error)));
        page.on('console', (message) => {
          if (message.type() === 'error') problems.push(message.text());
        });
        await page.goto(url);
        await shows(page, '#sign-in h2', /Who watches/);
        const signedOut = (await page.evaluate(look)) as Look;
        await keep(page, `sign-in-${kind}-${shade}`);
        await page.type('#token', token);
        await page.click('button');
        await shows(page, '#connection', /^live$/);
        await shows(page, '.p99', /^3\.\d\d µs$/);
        await shows(page, '.max', /^19\.0 µs$/);
        await shows(page, '.actual', /^VM call$/);
        await shows(page, '.reasons', /^wakes\/s: packet [\d,]+timeout [\d.]+$/);
        await shows(page, '#on-vmcall', /^1$/);
        await expect
          .poll(() => page.$eval('.line path', (path) => path.getAttribute('d')), { timeout: 20_000 })
          .toMatch(/L.*L/);
        await keep(page, `live-${kind}-${shade}`);
        for (const seen of [signedOut, (await page.evaluate(look)) as Look]) {
          expect(seen).toMatchObject({ beyond: 0, cut: [] });
          expect(seen.contrast).toBeGreaterThan(4.5);
          expect(seen.ground < 128).toBe(shade === 'dark');
        }
        expect(problems).toEqual([]);
      });
    },
    90_000,
  );

  test('takes the token from a link, and leaves it in no address', async () => {
    await withBrowser({ width: 800, height: 600 }, async (page) => {
      await page.goto(`${url}/#${token}`);
      await shows(page, '#connection', /^live$/);
      expect(page.url()).toBe(`${url}/`);
      // It stays signed in for as long as its tab is open.
      await page.reload();
      await shows(page, '#connection', /^live$/);
    });
  }, 60_000);

  test('is shown that a token is wrong', async () => {
    await withBrowser({ width: 800, height: 600 }, async (page) => {
      await page.goto(`${url}/#${'x'.repeat(43)}`);
      await shows(page, '#refusal', /not the token/);
      expect(await textOf(page, '#domains')).toBe('');
    });
  }, 60_000);

  test('shows what stands in the way, and what is old', async () => {
    await withBrowser({ width: 1280, height: 800 }, async (page) => {
      await page.goto(`${url}/#${token}`);
      await shows(page, '.p99', /µs/);
      guest.refuses = true;
      await bench.client.desire(domain.uuid, 'injected');
      await bench.until({ actual: 'injected' });
      await bench.client.desire(domain.uuid, 'vmcall');
      await shows(page, 'article.blocked .why', /PATH_REFUSED: the guest refused \(ENOENT\): it cannot/);
      await shows(page, '.actual', /^injected$/);
      await shows(page, '#blocked.alarm', /^1$/);
      guest.freeze();
      await shows(page, 'article.old .why', /nothing reported for \d+ s/);
      await keep(page, 'blocked');
      guest.thaw();
      guest.refuses = false;
      await shows(page, '.actual', /^VM call$/);
    });
  }, 90_000);

  test('runs no script but its own, and no name does', async () => {
    await withBrowser({ width: 800, height: 600 }, async (page) => {
      await page.goto(`${url}/#${token}`);
      await shows(page, '#connection', /^live$/);
      const ran = await page.evaluate(`new Promise((resolve) => {
        const script = document.createElement('script');
        script.textContent = 'window.ran = true';
        document.body.append(script);
        setTimeout(() => resolve(window.ran === true), 100);
      })`);
      expect(ran).toBe(false);
    });
  }, 60_000);
});

describe('its server', () => {
  test('says what the page may do', async () => {
    const { headers } = await fetch(url);
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'; /);
    expect(headers.get('content-security-policy')).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  test.each(['/../package.json', '/%2e%2e/package.json', '/page.ts', '/metrics', '/domains', '/observer'])(
    'has no %s',
    async (path) => {
      expect((await fetch(`${url}${path}`)).status).toBe(404);
    },
  );

  test('keeps the token for root alone', async () => {
    const { mode } = await stat(join(bench.folder, 'state', 'observer-token'));
    expect(mode & 0o777).toBe(0o600);
    expect(bench.agent.said).not.toContain(token);
  });

  const upgrade = (protocols: string[], headers: Record<string, string> = {}) =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/observer`, protocols, { headers });
      socket.on('open', () => {
        resolve('open');
        socket.close();
      });
      socket.on('error', ({ message }) => resolve(message));
    });

  test('lets nobody watch without the token, nor a page of another site with it', async () => {
    const withToken = ['vmcall.v1', `vmcall.token.${token}`];
    expect(await upgrade(withToken)).toBe('open');
    expect(await upgrade(withToken, { origin: url })).toBe('open');
    for (const [protocols, headers] of [
      [['vmcall.v1'], {}],
      [['vmcall.v1', 'vmcall.token.'], {}],
      [['vmcall.v1', `vmcall.token.${'x'.repeat(43)}`], {}],
      [withToken, { origin: 'https://example.org' }],
      [withToken, { origin: 'null' }],
    ] as const)
      expect(await upgrade([...protocols], headers)).toContain('401');
  });
});
