// SPDX-License-Identifier: Apache-2.0
import { request } from 'node:http';
import type { z } from 'zod';
import { exitCodes, VmcallError } from '../../src/support/errors.js';
import {
  controlLimits,
  type Desire,
  desireSchema,
  type Planned,
  plannedSchema,
  refusalSchema,
  type Status,
  statusSchema,
} from './schema.js';

/** The host agent on this host, asked over its Unix socket. Each call throws a VmcallError: its own, or HOST_AGENT_*. */
export class ControlClient {
  constructor(private readonly socket: string) {}

  /** Of all domains, or of one. */
  status(uuid?: string): Promise<Status> {
    return this.#ask('GET', uuid === undefined ? '/domains' : `/domains/${uuid}`, statusSchema);
  }

  desire(uuid: string, desire: Desire): Promise<Planned> {
    return this.#ask('PUT', `/domains/${uuid}/desired`, plannedSchema, desireSchema.parse(desire));
  }

  async #ask<T>(method: string, path: string, schema: z.ZodType<T>, body?: unknown): Promise<T> {
    const { status, text } = await this.#exchange(method, path, body);
    let document: unknown;
    try {
      document = JSON.parse(text);
    } catch {
      throw strange(`${this.socket} answered ${status} and no JSON`);
    }
    if (status !== 200) {
      const refusal = refusalSchema.safeParse(document).data;
      if (!refusal) throw strange(`${this.socket} answered ${status}`);
      throw new VmcallError(refusal.code, refusal.message, refusal.cure, refusal.exit_code);
    }
    const parsed = schema.safeParse(document);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    throw strange(`its answer does not fit: ${issue?.path.join('.')}: ${issue?.message}`);
  }

  #exchange(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const call = request(
        { socketPath: this.socket, method, path, agent: false, timeout: controlLimits.answerMs },
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
      call.on('error', (error) => reject(this.#absent(error)));
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  #absent(cause: NodeJS.ErrnoException): VmcallError {
    const isForbidden = cause.code === 'EACCES' || cause.code === 'EPERM';
    return new VmcallError(
      isForbidden ? 'HOST_AGENT_FORBIDDEN' : 'HOST_AGENT_ABSENT',
      `no host agent answers on ${this.socket}: ${cause.message}`,
      isForbidden
        ? 'Run this as root'
        : 'Start it: systemctl start vmcall-host-agent; or name its socket by --socket',
      exitCodes.failed,
      { cause },
    );
  }
}

const strange = (what: string) =>
  new VmcallError(
    'HOST_AGENT_STRANGE',
    what,
    'Use the vmcall command of the same version as the host agent, and its own socket',
  );
