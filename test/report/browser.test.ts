// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { takePicture, withPage } from '../../src/report/picture.js';
import { renderReport } from '../../src/report/report.js';
import { hostileRun, realRun } from './runs.js';

const views = [
  ['phone', 'light', { width: 390, height: 844 }],
  ['phone', 'dark', { width: 390, height: 844, dark: true }],
  ['desk', 'light', { width: 1280, height: 800 }],
  ['desk', 'dark', { width: 1280, height: 800, dark: true }],
] as const;

/** WCAG 2.2's contrast of two `rgb()` colours. */
function contrast(first: string, second: string): number {
  const luminance = (colour: string) => {
    const [r = 0, g = 0, b = 0] = (colour.match(/[\d.]+/g) ?? []).map((part) => {
      const value = Number(part) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [low = 0, high = 0] = [luminance(first), luminance(second)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

/** Run in the page: how it lies on the screen. */
const look = `(() => {
  const shown = (element) => element.getBoundingClientRect().width > 0;
  const colour = (element) => getComputedStyle(element)[element instanceof SVGElement ? 'fill' : 'color'];
  const texts = [...document.querySelectorAll('h1, p, td, th, dd, dt, li, small, .big, svg text')].filter(shown);
  const plots = [...document.querySelectorAll('svg')].filter(shown);
  const outside = (text, frame) => text.left < frame.left - 2 || text.right > frame.right + 2;
  return {
    beyond: document.documentElement.scrollWidth - innerWidth,
    ground: getComputedStyle(document.body).backgroundColor,
    colours: [...new Set(texts.map(colour))],
    scales: plots.map((plot) => plot.getBoundingClientRect().width / plot.viewBox.baseVal.width),
    cut: plots.flatMap((plot) => [...plot.querySelectorAll('text')]
      .filter((text) => outside(text.getBoundingClientRect(), plot.getBoundingClientRect()))
      .map((text) => text.textContent)),
  };
})()`;
const seenSchema = z.object({
  beyond: z.number(),
  ground: z.string(),
  colours: z.array(z.string()).min(3),
  scales: z.array(z.number()),
  cut: z.array(z.string()),
});

describe('report in a browser', () => {
  test.each(views)(
    'fits a %s in %s, with text that stands out and plots at their true size',
    async (kind, _, view) => {
      const seen = seenSchema.parse(
        await withPage(renderReport([realRun()]), view, (page) => page.evaluate(look)),
      );
      expect(seen.beyond).toBe(0);
      expect(seen.cut).toEqual([]);
      expect(seen.scales).toHaveLength(2);
      for (const scale of seen.scales) expect(scale).toBeGreaterThan(kind === 'phone' ? 0.95 : 0.9);
      for (const colour of seen.colours) expect(contrast(colour, seen.ground)).toBeGreaterThan(4.5);
    },
    60_000,
  );

  test('runs nothing that a document carries, and asks the network for nothing', async () => {
    const requests: string[] = [];
    const title = await withPage('<p></p>', { width: 390, height: 844 }, async (page) => {
      page.on('request', (request) => requests.push(request.url()));
      await page.setContent(renderReport([hostileRun()]), { waitUntil: 'load' });
      return page.evaluate('[document.title, document.images.length, document.scripts.length]');
    });
    expect(title).toEqual([expect.stringMatching(/^vmcall report/), 0, 0]);
    expect(requests.filter((url) => url !== 'about:blank')).toEqual([]);
  }, 60_000);

  test('is drawn as a PNG of the size asked for', async () => {
    const picture = Buffer.from(await takePicture(renderReport([realRun()]), { width: 400, height: 300 }));
    expect(picture.subarray(1, 4).toString()).toBe('PNG');
    expect([picture.readUInt32BE(16), picture.readUInt32BE(20)]).toEqual([800, 600]);
  }, 60_000);
});
