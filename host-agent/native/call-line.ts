// SPDX-License-Identifier: Apache-2.0
import { VmcallError } from '../../src/support/errors.js';
import { result } from './error.js';

/** Calls of one connection that wait for their turn. */
const waitingMost = 1024;

/**
 * The calls of one connection, one after the other. libvirt's client can have several under way, but of two that wait for
 * a libvirtd that hangs keep-alive ends only one: the other never returns, no `disconnected` comes, and the client
 * is used after it was freed (libvirt 9.0, virNetClientSendWithReply).
 */
export class CallLine {
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  /** Rejects as `result` does; at once with `LIBVIRT_TOO_MANY_CALLS` while 1024 wait. */
  async call<T>(call: () => T | Promise<T>): Promise<T> {
    if (this.#waiting >= waitingMost)
      throw new VmcallError(
        'LIBVIRT_TOO_MANY_CALLS',
        `${waitingMost} libvirt calls are under way`,
        'Wait for calls to end before making more; libvirtd may be stuck',
      );
    const before = this.#waiting++ > 0 ? this.#last : undefined;
    let end = () => {};
    this.#last = new Promise((resolve) => {
      end = resolve;
    });
    try {
      // What nobody stands before begins at once, as a call that is under way when the connection is closed.
      if (before) await before;
      return await result(call);
    } finally {
      this.#waiting--;
      end();
    }
  }
}
