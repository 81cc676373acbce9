// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '../../src/support/log.js';
import { Listener, respond } from '../live/listener.js';
import type { Metrics } from './registry.js';

/** `GET /metrics` for Prometheus. @throws VmcallError LISTEN_FAILED */
export function listenForScrapes(
  { address, port }: { address: string; port: number },
  metrics: Metrics,
  log: Log,
): Promise<Listener> {
  const scrape = async (response: ServerResponse) => {
    try {
      respond(response, 200, { 'content-type': metrics.contentType }, await metrics.text());
    } catch (error) {
      log.error({ err: error }, 'a scrape failed');
      respond(response, 500, {});
    }
  };
  const onRequest = ({ method, url }: IncomingMessage, response: ServerResponse) => {
    if (url?.split('?')[0] !== '/metrics') respond(response, 404, {}, 'There is /metrics here.\n');
    else if (method !== 'GET' && method !== 'HEAD') respond(response, 405, { allow: 'GET, HEAD' });
    else void scrape(response);
  };
  return Listener.listen({ key: 'metrics', address, port, onRequest });
}
