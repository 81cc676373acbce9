// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Log } from '../../src/support/log.js';
import { Listener, respond, unsniffed } from '../live/listener.js';
import type { Metrics } from './registry.js';

/** As long as Prometheus waits at most by default (prometheus: scrape_timeout is no more than scrape_interval, 1 min), ms. */
const scrapeMs = 60_000;

/** `GET /metrics` for Prometheus. @throws VmcallError LISTEN_FAILED */
export function listenForScrapes(
  { address, port }: { address: string; port: number },
  metrics: Metrics,
  log: Log,
): Promise<Listener> {
  const scrape = async (method: string, response: ServerResponse) => {
    response.writeHead(200, { ...unsniffed, 'content-type': metrics.contentType });
    if (method === 'HEAD') return response.end();
    try {
      // As fast as it is read: what nobody reads is not kept.
      await pipeline(metrics.parts(), response, { signal: AbortSignal.timeout(scrapeMs) });
    } catch (error) {
      log.warn({ err: error }, 'a scrape ended early');
    }
  };
  const onRequest = ({ method = '', url }: IncomingMessage, response: ServerResponse) => {
    if (url?.split('?')[0] !== '/metrics') respond(response, 404, {}, 'There is /metrics here.\n');
    else if (method !== 'GET' && method !== 'HEAD') respond(response, 405, { allow: 'GET, HEAD' });
    else void scrape(method, response);
  };
  return Listener.listen({ key: 'metrics', address, port, onRequest });
}
