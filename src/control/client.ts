// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import type { z } from 'zod';
import type { DesiredPath } from '../protocol/fields.js';
import { exitCodes, VmcallError } from '../support/errors.js';
import { LineSplitter } from '../support/lines.js';
import {
  controlLimits,
  desiredSchema,
  desireSchema,
  type Enrolled,
  type Enrolments,
  enrolledSchema,
  enrolmentsSchema,
  enrolSchema,
  leasedSchema,
  leaseSchema,
  type Measure,
  type MeasureEvent,
  measureEventSchema,
  measureSchema,
  type Planned,
  plannedSchema,
  type Refusal,
  refusalSchema,
  releasedSchema,
  releaseSchema,
  revokedSchema,
  revokeSchema,
  type Status,
  statusSchema,
} from './schema.js';
import { usableSocket } from './socket.js';

/** Of all clients of this process, for an agent takes so many and no more; idle ones keep no process alive. */
const connections = new Agent({ keepAlive: true, maxSockets: controlLimits.connections / 2 });

/** The host agent on this host, asked over its Unix socket. Each call throws a VmcallError: its own, or HOST_AGENT_*. */
export class ControlClient {
  private readonly socket: string;

  constructor(socket: string) {
    this.socket = usableSocket(socket);
  }

  /** Of all domains, or of one. */
  status(uuid?: string): Promise<Status> {
    return this.#ask('GET', uuid === undefined ? '/domains' : `/domains/${uuid}`, statusSchema);
  }

  /** @param path null: nothing is desired any more */
  plan(uuid: string, path: DesiredPath | null): Promise<Planned> {
    return this.#ask('GET', `/domains/${uuid}/plan/${path ?? 'none'}`, plannedSchema);
  }

  /** Resolves when the domain's metadata has it. @param lease of the domain, if it is leased */
  async desire(uuid: string, path: DesiredPath | null, lease?: string): Promise<void> {
    const [refusal] = (await this.desireEach([uuid], path, lease)).values();
    if (refusal) throw refusal;
  }

  /** The same of many at once. @returns why, of each that was refused, by its UUID */
  async desireEach(
    uuids: readonly string[],
    path: DesiredPath | null,
    lease?: string,
  ): Promise<Map<string, VmcallError>> {
    const order = desireSchema.parse({ domains: uuids, path, ...(lease !== undefined && { lease }) });
    const { domains } = await this.#ask('PUT', '/desired', desiredSchema, order);
    return new Map(domains.flatMap(({ uuid, refusal }) => (refusal ? [[uuid, asError(refusal)]] : [])));
  }

  /** @param overlapS for so many seconds the previous secret is valid, too */
  enrol(domain: string, overlapS: number): Promise<Enrolled> {
    return this.#ask('PUT', '/enrolled', enrolledSchema, enrolSchema.parse({ domain, overlap_s: overlapS }));
  }

  enrolments(): Promise<Enrolments> {
    return this.#ask('GET', '/enrolments', enrolmentsSchema);
  }

  /** @returns false if it was not enrolled */
  async revoke(domain: string): Promise<boolean> {
    return (await this.#ask('PUT', '/revoked', revokedSchema, revokeSchema.parse({ domain }))).was;
  }

  /**
   * Domains for this process alone, until they are released or it ends.
   * @param verb of the command line, for those who want them meanwhile
   * @returns the lease's id. @throws VmcallError DOMAIN_LEASED, and as the others do
   */
  async lease(domains: readonly string[], verb: string): Promise<string> {
    const order = leaseSchema.parse({ domains, holder: { verb, pid: process.pid } });
    const call = request({ socketPath: this.socket, method: 'POST', path: '/leases', agent: false });
    call.end(JSON.stringify(order));
    try {
      const [response] = (await once(call, 'response')) as [IncomingMessage];
      response.setEncoding('utf8');
      if (response.statusCode !== 200) throw this.#refusal(response.statusCode ?? 0, await whole(response));
      // Whoever uses it learns of its end.
      call.on('error', () => {});
      response.on('error', () => {});
      const [text] = (await once(response, 'data')) as [string];
      const { lease } = leasedSchema.parse(parseJson(text));
      response.resume();
      return lease;
    } catch (error) {
      call.destroy();
      throw error instanceof VmcallError ? error : this.#absent(error as NodeJS.ErrnoException);
    }
  }

  /** Resolves when the domains stand as before it. @throws VmcallError NOT_PUT_BACK */
  async release(lease: string): Promise<void> {
    const { domains } = await this.#ask('PUT', '/released', releasedSchema, releaseSchema.parse({ lease }));
    const [failed] = domains;
    if (failed) throw asError(failed.refusal);
  }

  /**
   * Has guests measure, and gives what happens as it happens; ends when each domain has ended or failed.
   * @param signal ends it sooner, without an error
   */
  async *measure(measure: Measure, signal: AbortSignal): AsyncGenerator<MeasureEvent, void> {
    const call = request({
      socketPath: this.socket,
      method: 'POST',
      path: '/measurements',
      agent: false,
      signal,
      timeout: measure.interval_ms + controlLimits.answerMs,
    });
    call.on('timeout', () => call.destroy(new Error('the host agent says nothing any more')));
    call.end(JSON.stringify(measureSchema.parse(measure)));
    try {
      const [response] = (await once(call, 'response')) as [IncomingMessage];
      response.setEncoding('utf8');
      if (response.statusCode !== 200) throw this.#refusal(response.statusCode ?? 0, await whole(response));
      const lines = new LineSplitter(controlLimits.lineCharacters);
      for await (const text of response as AsyncIterable<string>)
        for (const line of lines.push(text)) yield readEvent(line);
    } catch (error) {
      if (signal.aborted) return;
      throw error instanceof VmcallError ? error : this.#absent(error as NodeJS.ErrnoException);
    } finally {
      call.destroy();
    }
  }

  async #ask<T>(method: string, path: string, schema: z.ZodType<T>, body?: unknown): Promise<T> {
    const { status, text } = await this.#exchange(method, path, body);
    const document = parseJson(text);
    if (document === undefined) throw strange(`${this.socket} answered ${status} and no JSON`);
    if (status !== 200) throw this.#refusal(status, document);
    const parsed = schema.safeParse(document);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    throw strange(`its answer does not fit: ${issue?.path.join('.')}: ${issue?.message}`);
  }

  #refusal(status: number, document: unknown): VmcallError {
    const refusal = refusalSchema.safeParse(document).data;
    if (!refusal) return strange(`${this.socket} answered ${status}`);
    return asError(refusal);
  }

  #exchange(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const call = request(
        {
          socketPath: this.socket,
          method,
          path,
          agent: connections,
          timeout: controlLimits.answerMs,
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (part: string) => {
            text += part;
            if (text.length > controlLimits.answerBytes) call.destroy(new Error('its answer is too long'));
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
          response.on('error', (error) => reject(this.#absent(error)));
        },
      );
      call.on('timeout', () => call.destroy(new Error(`no answer within ${controlLimits.answerMs} ms`)));
      call.on('error', (error: NodeJS.ErrnoException) => {
        // The agent that was there at the last question has ended, or closed what was idle: ask the one there now.
        const isStale = call.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        if (isStale) resolve(this.#exchange(method, path, body));
        else reject(this.#absent(error));
      });
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  #absent(cause: NodeJS.ErrnoException): VmcallError {
    const isForbidden = cause.code === 'EACCES' || cause.code === 'EPERM';
    return new VmcallError(
      isForbidden ? 'HOST_AGENT_FORBIDDEN' : 'HOST_AGENT_ABSENT',
      `no host agent answers on ${this.socket}: ${cause.message}`,
      isForbidden
        ? 'Run this as root; to ask alone, be a member of the group vmcall: adduser USER vmcall, and log in again'
        : 'Start it: systemctl start vmcall-host-agent; or name its socket by --socket',
      exitCodes.failed,
      { cause },
    );
  }
}

const asError = ({ code, message, cure, exit_code: exitCode }: Refusal) =>
  new VmcallError(code, message, cure, exitCode);

/** An answer that is one document. */
async function whole(response: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const part of response as AsyncIterable<string>) {
    text += part;
    if (text.length > controlLimits.lineCharacters) throw strange('its answer is too long');
  }
  return parseJson(text);
}

function readEvent(line: string): MeasureEvent {
  const parsed = measureEventSchema.safeParse(parseJson(line));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw strange(`an event of it does not fit: ${issue?.path.join('.')}: ${issue?.message}`);
}

/** Undefined for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const strange = (what: string) =>
  new VmcallError(
    'HOST_AGENT_STRANGE',
    what,
    'Use the vmcall command of the same version as the host agent, and its own socket',
  );
