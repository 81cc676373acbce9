// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { exitCodes, VmcallError } from '../support/errors.js';

const programs = ['chromium', 'chromium-browser', 'google-chrome', 'chrome'];

function findBrowser(): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = folders
    .flatMap((folder) => programs.map((program) => join(folder, program)))
    .find((file) => existsSync(file));
  if (found) return found;
  throw new VmcallError(
    'BROWSER_ABSENT',
    'no Chromium is installed, which draws the picture',
    'Install it (Debian: apt-get install chromium), or leave --picture out',
    exitCodes.unsupported,
  );
}

export interface View {
  /** Width of the window, px. */
  width: number;
  height: number;
  dark?: boolean;
}

/** An empty page in Chromium. Errors: `BROWSER_ABSENT` (not supported on this machine). */
export async function withBrowser<T>(view: View, look: (page: Page) => Promise<T>): Promise<T> {
  let browser: Browser | undefined;
  try {
    browser = await puppeteer.launch({
      executablePath: findBrowser(),
      headless: true,
      // Chromium has no sandbox for root; it shows pages of ours alone.
      args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--disable-dev-shm-usage'],
    });
    const shown = await browser.newPage();
    await shown.setViewport({ width: view.width, height: view.height, deviceScaleFactor: 2 });
    await shown.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: view.dark ? 'dark' : 'light' }]);
    return await look(shown);
  } finally {
    await browser?.close();
  }
}

/** Shows a page of ours with no network, and hands it to `look`. Errors as of `withBrowser`. */
export const withPage = <T>(page: string, view: View, look: (page: Page) => Promise<T>): Promise<T> =>
  withBrowser(view, async (shown) => {
    await shown.setOfflineMode(true);
    await shown.setContent(page, { waitUntil: 'load' });
    return look(shown);
  });

/** A PNG of what a reader of the page sees first. */
export const takePicture = (page: string, view: View, whole = false): Promise<Uint8Array> =>
  withPage(page, view, (shown) => shown.screenshot({ type: 'png', fullPage: whole }));
