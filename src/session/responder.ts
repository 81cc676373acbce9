// SPDX-License-Identifier: Apache-2.0
import { limits } from '../protocol/limits.js';
import type { GuestMessage, Method, MethodResult, Params, Request } from '../protocol/messages.js';
import { RequestError } from './request-error.js';

/** What answers each method. The signal fires at the deadline and at the session's end. */
export type Handlers = {
  [M in Method]: (params: Params<M>, signal: AbortSignal) => Promise<MethodResult<M>>;
};

/** The answering half of a session: one answer a request, at the deadline at the latest. */
export class Responder {
  readonly #running = new Map<number, AbortController>();
  #lastId = 0;

  constructor(
    private readonly handlers: Handlers,
    private readonly send: (message: GuestMessage) => boolean,
    private readonly onDefect: (error: unknown) => void,
  ) {}

  /** Accepts a request; false if its id is not above the ones before, which no honest side sends. */
  take(request: Request): boolean {
    if (request.id <= this.#lastId) return false;
    this.#lastId = request.id;
    if (this.#running.size >= limits.requestsInFlight) this.#fail(request.id, new RequestError('BUSY'));
    else void this.#run(request);
    return true;
  }

  /** The session is over. */
  end(): void {
    for (const controller of this.#running.values()) controller.abort(new RequestError('SESSION_LOST'));
  }

  async #run(request: Request): Promise<void> {
    const { id, method } = request;
    const controller = new AbortController();
    const { signal } = controller;
    this.#running.set(id, controller);
    const timer = setTimeout(() => controller.abort(new RequestError('DEADLINE')), request.deadline_ms);
    const aborted = new Promise<never>((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
    );
    try {
      const work = this.#dispatch(request, signal);
      // What is still under way holds its place among the requests, so that they stay bounded.
      const settled = work.then(
        () => this.#running.delete(id),
        () => this.#running.delete(id),
      );
      const result = await Promise.race([work, aborted]);
      await settled;
      // The schema ties the method to its result; dispatch() has tied them here.
      this.send({ type: 'result', id, method, result } as GuestMessage);
    } catch (error) {
      this.#fail(id, error);
    } finally {
      clearTimeout(timer);
    }
  }

  #dispatch(request: Request, signal: AbortSignal): Promise<MethodResult<Method>> {
    switch (request.method) {
      case 'set-path':
        return this.handlers['set-path'](request.params, signal);
      case 'start-measurement':
        return this.handlers['start-measurement'](request.params, signal);
      case 'stop-measurement':
        return this.handlers['stop-measurement'](request.params, signal);
      case 'get-health':
        return this.handlers['get-health'](request.params, signal);
    }
  }

  #fail(id: number, error: unknown): void {
    if (!(error instanceof RequestError)) this.onDefect(error);
    const { code, message, refusal } = error instanceof RequestError ? error : new RequestError('INTERNAL');
    this.send({ type: 'error', id, code, message: clean(message), ...refusal });
  }
}

/** As text in a message may be. */
function clean(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ').slice(0, limits.textCharacters);
}
