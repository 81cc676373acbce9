// SPDX-License-Identifier: Apache-2.0
// A host agent's guest sessions in a process of their own, which a test can kill: `host-process.js STATE PORT`,
// driven and observed over Node.js's IPC channel.
import { hostCertificate } from '../../../host-agent/enrolment/certificate.js';
import { EnrolmentStore } from '../../../host-agent/enrolment/store.js';
import type { GuestSession } from '../../../host-agent/guest-sessions/guest-session.js';
import { GuestSessions } from '../../../host-agent/guest-sessions/server.js';
import type { Method, Params } from '../../../src/protocol/messages.js';
import { RequestError } from '../../../src/session/request-error.js';
import { createLog } from '../../../src/support/log.js';

export interface Ask {
  number: number;
  domain: string;
  method: Method;
  params: Params<Method>;
}

const [state = '', port = '0'] = process.argv.slice(2);
const tell = (event: Record<string, unknown>) => process.send?.(event);

const { pem } = await hostCertificate(state);
const sessions = await GuestSessions.listen({
  address: '127.0.0.1',
  port: Number(port),
  pem,
  enrolments: new EnrolmentStore(state),
  log: createLog('host-agent', { write: () => {} }),
  admission: { connections: 300, perAddress: 300, unauthenticated: 200, perSecond: 10_000, burst: 10_000 },
});
sessions.on('open', (session) => {
  tell({ event: 'open', domain: session.domain });
  session.on('health', (health) => tell({ event: 'health', health }));
  session.on('report', (report) => tell({ event: 'report', report }));
  session.on('measurement-ended', (ended) => tell({ event: 'measurement-ended', ended }));
  session.once('closed', (closed) => tell({ event: 'closed', closed }));
});
process.on('message', (ask: Ask | 'memory' | 'stop') => {
  if (ask === 'memory')
    tell({ event: 'memory', rss: process.memoryUsage().rss, connections: sessions.connections });
  else if (ask === 'stop') void sessions.stop().then(() => process.exit(0));
  else void answer(ask);
});
process.on('disconnect', () => process.exit(0));
tell({ event: 'listening', port: sessions.port });

async function answer({ number, domain, method, params }: Ask): Promise<void> {
  try {
    const session = sessions.get(domain);
    if (!session) throw new RequestError('SESSION_LOST');
    tell({ event: 'answer', number, result: await ask(session, method, params) });
  } catch (error) {
    const { code, message, refusal } = error as RequestError;
    tell({ event: 'answer', number, error: { code, message, refusal } });
  }
}

/** Measurements as the host agent begins and ends them: reports of another are nobody's. */
async function ask(session: GuestSession, method: Method, params: Params<Method>): Promise<unknown> {
  if (method === 'start-measurement')
    return { path: await session.startMeasurement(params as Params<'start-measurement'>, false) };
  if (method === 'stop-measurement')
    return session.stopMeasurement((params as Params<'stop-measurement'>).measurement);
  return session.request(method, params, 20_000);
}
