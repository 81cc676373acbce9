// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { chmod, chown, mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { execa } from 'execa';
import {
  controlLimits,
  type Lease,
  leasedSchema,
  leaseSchema,
  type Measure,
  type MeasureEvent,
  measureSchema,
  readOnlySocket,
} from '../../src/control/schema.js';
import { exitCodes, VmcallError } from '../../src/support/errors.js';
import type { Log } from '../../src/support/log.js';
import type { Observers } from '../live/observers.js';
import { readBody } from './body.js';
import type { Controlled } from './controlled.js';
import { readersOnly, refuse, statusOf } from './refusals.js';
import { route } from './routes.js';

/** Events of a measurement are gathered for this long, ms. */
const streamMs = 200;

/**
 * HTTP and JSON on a Unix socket for root: GET /domains[/UUID[/plan/PATH]], PUT /desired, POST /leases, PUT /released,
 * POST /measurements, PUT /enrolled, GET /enrolments, PUT /revoked; and the observers' WebSocket.
 */
export class ControlServer {
  readonly #servers: Server[] = [];

  private constructor(
    private readonly controlled: Controlled,
    private readonly log: Log,
    private readonly observers: Observers,
  ) {}

  /**
   * The socket is made with mode 0600; one that a killed agent left is replaced. With a group of readers there is another
   * one beside it, which takes questions alone.
   * @throws VmcallError CONTROL_IN_USE, CONTROL_FAILED
   */
  static async listen(
    { socket, readers }: { socket: string; readers?: string | undefined },
    controlled: Controlled,
    log: Log,
    observers: Observers,
  ): Promise<ControlServer> {
    const control = new ControlServer(controlled, log, observers);
    try {
      await control.#bind(socket, 'all', 0o600);
      if (readers !== undefined) {
        const group = await groupId(readers);
        const readOnly = readOnlySocket(socket);
        await control.#bind(readOnly, 'read', 0o600);
        await chown(readOnly, process.geteuid?.() ?? 0, group);
        await chmod(readOnly, 0o660);
      }
    } catch (error) {
      await control.stop();
      if (error instanceof VmcallError) throw error;
      throw new VmcallError(
        'CONTROL_FAILED',
        `${socket} cannot be made: ${(error as Error).message}`,
        'Run this as root, or name another control.socket in the configuration',
        // Not 3: a disk that is full today is not tomorrow, and systemd is to retry.
        exitCodes.failed,
        { cause: error },
      );
    }
    return control;
  }

  async #bind(socket: string, access: Access, mode: number): Promise<void> {
    const server = createServer(
      {
        maxHeaderSize: controlLimits.headerBytes,
        requestTimeout: controlLimits.requestMs,
        headersTimeout: controlLimits.requestMs,
      },
      (request, response) => void this.#answer(request, response, access),
    );
    server.maxConnections = controlLimits.connections;
    server.on('upgrade', (request, connection, head) => this.observers.accept(request, connection, head));
    await mkdir(dirname(socket), { recursive: true, mode: 0o700 });
    if (await answers(socket))
      throw new VmcallError(
        'CONTROL_IN_USE',
        `another host agent answers on ${socket}`,
        'Stop it, or name another control.socket in the configuration',
      );
    await rm(socket, { force: true });
    // Node.js binds within the call, so that there is no moment in which others could connect.
    const before = process.umask(0o777 & ~mode);
    try {
      server.listen(socket);
    } finally {
      process.umask(before);
    }
    await once(server, 'listening');
    this.#servers.push(server);
    await chmod(socket, mode);
  }

  async stop(): Promise<void> {
    const closed = this.#servers.map((server) => once(server, 'close'));
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
    await Promise.all(closed);
  }

  async #answer(request: IncomingMessage, response: ServerResponse, access: Access): Promise<void> {
    try {
      if (access === 'read' && request.method !== 'GET') throw readersOnly();
      if (request.method === 'POST' && request.url === '/measurements')
        return await this.#measure(await readBody(request, measureSchema), response);
      if (request.method === 'POST' && request.url === '/leases')
        return this.#lease(await readBody(request, leaseSchema), response);
      const [schema, document] = await route(request, this.controlled, this.log);
      send(response, 200, schema.parse(document));
    } catch (error) {
      const refusal = refuse(error, this.log);
      if (response.headersSent) response.destroy();
      else send(response, statusOf(refusal), refusal);
    }
  }

  /** A line of JSON for each event, as they come; a client that does not read them is disconnected, and the guests stop measuring. */
  async #measure(measure: Measure, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    let lines: string[] = [];
    const flush = () => {
      if (gone.signal.aborted || lines.length === 0) return;
      // Not before: what is refused is refused as a whole.
      if (!response.headersSent) response.writeHead(200, ndjson);
      response.write(lines.join(''));
      lines = [];
      if (response.writableLength > controlLimits.streamBytes) response.destroy();
    };
    const emit = (event: MeasureEvent) => {
      // A write costs more than what is in it.
      if (lines.push(`${JSON.stringify(event)}\n`) === 1) setTimeout(flush, streamMs);
    };
    await this.controlled.measure(measure, emit, gone.signal);
    flush();
    response.end();
  }

  /** It is held for as long as the connection is. */
  #lease(order: Lease, response: ServerResponse): void {
    const lease = this.controlled.leases.take(order);
    response.once('close', () => void this.controlled.leases.release(lease));
    response.writeHead(200, ndjson);
    response.write(`${JSON.stringify(leasedSchema.parse({ type: 'leased', lease }))}\n`);
  }
}

const ndjson = { 'content-type': 'application/x-ndjson', connection: 'close' };
/** What a socket lets its clients do: everything, or ask. */
type Access = 'all' | 'read';

function send(response: ServerResponse, status: number, document: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(document)}\n`);
}

/** Does anybody answer on this Unix socket? */
function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket);
    probe.once('connect', () => resolve(true));
    probe.once('error', () => resolve(false));
    probe.once('close', () => resolve(false));
    probe.once('connect', () => probe.destroy());
  });
}

/** @throws VmcallError CONTROL_FAILED */
async function groupId(name: string): Promise<number> {
  const { stdout } = await execa('getent', ['group', name], { reject: false });
  const id = Number(stdout.split(':')[2]);
  if (stdout !== '' && Number.isInteger(id)) return id;
  throw new VmcallError(
    'CONTROL_FAILED',
    `there is no group ${name}, as control.readers has it`,
    `Make it: groupadd --system ${name}`,
    exitCodes.configuration,
  );
}
