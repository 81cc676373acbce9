// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { chmod, chown, mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import {
  controlLimits,
  type Desire,
  type DesiredAnswer,
  desiredSchema,
  desireSchema,
  type Enrol,
  type Enrolled,
  type Enrolments,
  enrolledSchema,
  enrolmentsSchema,
  enrolSchema,
  type Lease,
  leasedSchema,
  leaseSchema,
  type Measure,
  type MeasureEvent,
  measureSchema,
  type Planned,
  plannedSchema,
  type Refusal,
  type Released,
  readOnlySocket,
  refusalSchema,
  releasedSchema,
  releaseSchema,
  revokedSchema,
  revokeSchema,
  type Status,
} from '../../src/control/schema.js';
import { type DesiredPath, desiredPathSchema, domainSchema } from '../../src/protocol/fields.js';
import { describeError, exitCodes, VmcallError } from '../../src/support/errors.js';
import type { Log } from '../../src/support/log.js';
import type { Leases } from '../lease/leases.js';
import type { Observers } from '../live/observers.js';

/** Events of a measurement are gathered for this long, ms. */
const streamMs = 200;

/** What the command line may ask of the host agent. */
export interface Controlled {
  /** Of all domains, or of one. @throws VmcallError NO_DOMAIN */
  status(uuid?: string): Promise<Status>;
  /** What would be done if that path were desired. @throws VmcallError NO_DOMAIN, LIBVIRT_UNREACHABLE */
  plan(uuid: string, path: DesiredPath | null): Planned;
  /** @throws VmcallError NO_DOMAIN, LIBVIRT_UNREACHABLE, LIBVIRT_FAILED, DOMAIN_LEASED */
  desire(uuid: string, path: DesiredPath | null, lease?: string): Promise<void>;
  /** @throws VmcallError NO_DOMAIN, ENROLMENT_* */
  enrol(order: Enrol): Promise<Enrolled>;
  enrolments(): Promise<Enrolments>;
  /** @returns false if it was not enrolled */
  revoke(domain: string): Promise<boolean>;
  /** The asker has the domains to itself. @throws VmcallError DOMAIN_LEASED, NO_DOMAIN */
  readonly leases: Pick<Leases, 'take' | 'release'>;
  /** Resolves when every domain has ended or failed. @param signal nobody listens any more. @throws VmcallError DOMAIN_LEASED */
  measure(measure: Measure, emit: (event: MeasureEvent) => void, signal: AbortSignal): Promise<void>;
}

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
      const [schema, document] = await this.#route(request);
      send(response, 200, schema.parse(document));
    } catch (error) {
      const refusal = this.#refuse(error);
      if (response.headersSent) response.destroy();
      else send(response, statuses.get(refusal.code) ?? 500, refusal);
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

  async #release({ lease }: z.infer<typeof releaseSchema>): Promise<Released> {
    const failures = await this.controlled.leases.release(lease);
    const domains = [...failures].map(([uuid, error]) => ({ uuid, refusal: this.#refuse(error) }));
    return { format: 'vmcall-released', version: 1, domains };
  }

  async #route(request: IncomingMessage): Promise<[z.ZodType, unknown]> {
    const { method, url = '' } = request;
    // A status is not looked through as a whole: each domain was, and none keeps the others' from being reported.
    if (method === 'GET' && url === '/domains') return [z.unknown(), await this.controlled.status()];
    if (method === 'PUT' && url === '/desired')
      return [desiredSchema, await this.#desire(await readBody(request, desireSchema))];
    if (method === 'PUT' && url === '/released')
      return [releasedSchema, await this.#release(await readBody(request, releaseSchema))];
    if (method === 'PUT' && url === '/enrolled')
      return [enrolledSchema, await this.controlled.enrol(await readBody(request, enrolSchema))];
    if (method === 'GET' && url === '/enrolments')
      return [enrolmentsSchema, await this.controlled.enrolments()];
    if (method === 'PUT' && url === '/revoked') {
      const was = await this.controlled.revoke((await readBody(request, revokeSchema)).domain);
      return [revokedSchema, { format: 'vmcall-revoked', version: 1, was }];
    }
    const [, uuid, path] = /^\/domains\/([^/]+)(?:\/plan\/([^/]+))?$/.exec(url) ?? [];
    if (method === 'GET' && uuid !== undefined && domainSchema.safeParse(uuid).success) {
      if (path === undefined) return [z.unknown(), await this.controlled.status(uuid)];
      const known = desiredPathSchema.nullable().safeParse(path === 'none' ? null : path);
      if (known.success) return [plannedSchema, this.controlled.plan(uuid, known.data)];
    }
    throw badRequest('CONTROL_NOT_FOUND', `there is no ${method} ${url.slice(0, 200)}`);
  }

  /** Of many domains at once: one that cannot be had keeps none from it. */
  async #desire({ domains, path, lease }: Desire): Promise<DesiredAnswer> {
    const each = domains.map(async (uuid) => {
      const taken = this.controlled.desire(uuid, path, lease);
      return {
        uuid,
        refusal: await taken.then(
          () => null,
          (error) => this.#refuse(error),
        ),
      };
    });
    return { format: 'vmcall-desired', version: 2, path, domains: await Promise.all(each) };
  }

  #refuse(error: unknown): Refusal {
    if (!(error instanceof VmcallError)) this.log.error({ err: error }, 'a control request failed');
    const { code, message, cure, exitCode } = error instanceof VmcallError ? error : internal(error);
    return refusalSchema.parse({ code, message: message.slice(0, 4000), cure, exit_code: exitCode });
  }
}

const ndjson = { 'content-type': 'application/x-ndjson', connection: 'close' };
/** What a socket lets its clients do: everything, or ask. */
type Access = 'all' | 'read';

const statuses = new Map([
  ['CONTROL_READ_ONLY', 403],
  ['DOMAIN_LEASED', 409],
  ['LEASE_OVER', 409],
  ['CONTROL_NOT_FOUND', 404],
  ['CONTROL_BAD_REQUEST', 400],
  ['NO_DOMAIN', 404],
  ['LIBVIRT_UNREACHABLE', 503],
]);

async function readBody<T>(request: IncomingMessage, schema: z.ZodType<T>): Promise<T> {
  const most = controlLimits.requestBytes;
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > most) throw badRequest('CONTROL_BAD_REQUEST', `a body of more than ${most} bytes`);
    parts.push(part);
  }
  try {
    return schema.parse(JSON.parse(Buffer.concat(parts).toString('utf8')));
  } catch (error) {
    throw badRequest('CONTROL_BAD_REQUEST', `the body: ${(error as Error).message.slice(0, 500)}`);
  }
}

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

const readersOnly = () =>
  new VmcallError(
    'CONTROL_READ_ONLY',
    "a member of the readers' group may ask, and change nothing",
    'Run the same command as root: sudo vmcall ...',
  );
const badRequest = (code: string, what: string) =>
  new VmcallError(code, what, 'Use the vmcall command of the same version as the host agent');
const internal = (error: unknown) =>
  new VmcallError('INTERNAL', describeError(error).split('\n')[0] ?? '', "See the host agent's log");
