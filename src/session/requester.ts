// SPDX-License-Identifier: Apache-2.0
import { limits } from '../protocol/limits.js';
import type {
  ErrorMessage,
  GuestMessage,
  HostMessage,
  Method,
  MethodResult,
  Params,
  Request,
} from '../protocol/messages.js';
import { RequestError } from './request-error.js';

type ResultMessage = Extract<GuestMessage, { type: 'result' }>;

interface Pending {
  method: Method;
  resolve: (result: ResultMessage['result']) => void;
  reject: (error: RequestError) => void;
  timer: NodeJS.Timeout;
}

/** The asking half of a session: ids, deadlines, answers. */
export class Requester {
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #ended = false;

  /** @param send gives false if the session is closed */
  constructor(private readonly send: (message: HostMessage) => boolean) {}

  /**
   * @param deadlineMs 100 to 60 000
   * @throws RequestError, always: DEADLINE, BUSY, SESSION_LOST or what the other side answered
   */
  request<M extends Method>(
    method: M,
    params: Params<M>,
    deadlineMs: number = limits.deadlineMs.usual,
  ): Promise<MethodResult<M>> {
    if (this.#ended) return Promise.reject(new RequestError('SESSION_LOST'));
    if (this.#pending.size >= limits.requestsInFlight) return Promise.reject(new RequestError('BUSY'));
    const id = ++this.#lastId;
    return new Promise<MethodResult<M>>((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(id)?.reject(new RequestError('DEADLINE')), deadlineMs);
      // The answer's schema ties its method to its result, and answer() the method to this request.
      this.#pending.set(id, { method, resolve: resolve as Pending['resolve'], reject, timer });
      try {
        const request = { type: 'request', id, deadline_ms: deadlineMs, method, params } as Request;
        if (!this.send(request)) this.#settle(id)?.reject(new RequestError('SESSION_LOST'));
      } catch (error) {
        this.#settle(id);
        reject(error);
      }
    });
  }

  /** Takes an answer in; false if nothing was ever asked that it could be the answer to. */
  answer(message: ResultMessage | ErrorMessage): boolean {
    if (message.id > this.#lastId) return false;
    const expected = this.#pending.get(message.id);
    if (expected && message.type === 'result' && message.method !== expected.method) return false;
    const pending = this.#settle(message.id);
    if (message.type === 'result') pending?.resolve(message.result);
    else pending?.reject(RequestError.fromMessage(message));
    return true;
  }

  /** The session is over: every request under way fails with SESSION_LOST. */
  end(): void {
    this.#ended = true;
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(new RequestError('SESSION_LOST'));
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    clearTimeout(pending?.timer);
    return pending;
  }
}
