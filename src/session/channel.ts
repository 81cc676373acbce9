// SPDX-License-Identifier: Apache-2.0
import { EventEmitter } from 'node:events';
import type { RawData, WebSocket } from 'ws';
import type { z } from 'zod';
import { closeCodes, standardCloseCodes } from '../protocol/codes.js';
import { limits } from '../protocol/limits.js';
import { decodeMessage, encodeMessage } from '../protocol/wire.js';
import { TokenBucket } from './token-bucket.js';

/** How a channel ended. */
export interface Closed {
  code: number;
  /** For people. */
  reason: string;
  by: 'us' | 'them' | 'network';
}

/** What the WebSocket library must keep too, before a message reaches a channel. */
export const webSocketLimits = {
  maxPayload: limits.frameBytes,
  maxFragments: limits.fragments,
  perMessageDeflate: false,
  skipUTF8Validation: false,
} as const;

/** A beat that is so late says that this process was not run, or was busy, ms. */
const stallMs = 1_000;

/**
 * Messages of a schema over an open WebSocket, the same on both sides: checked when sent and when received, at a
 * bounded rate, with a bounded queue, and alive or closed. Emits `message` until the first word of its end, then
 * `closed`, once.
 */
export class Channel<In, Out> extends EventEmitter<{ message: [In]; closed: [Closed] }> {
  readonly #rate = new TokenBucket(limits.framesPerSecond, limits.frameBurst, performance.now());
  readonly #heartbeat: NodeJS.Timeout;
  #heard = performance.now();
  /** The beat before. */
  #beatAt = performance.now();
  #ended: Closed | undefined;

  constructor(
    private readonly socket: WebSocket,
    private readonly receives: z.ZodType<In>,
    private readonly sends: z.ZodType<Out>,
  ) {
    super();
    socket.on('message', (data, isBinary) => this.#received(data, isBinary));
    socket.on('ping', () => this.#admitted());
    socket.on('pong', () => this.#admitted());
    // The library closes by itself what breaks RFC 6455 or its limits.
    socket.on('error', (error: Error & { code?: string }) => {
      const code = error.code?.startsWith('WS_ERR_') ? brokenFrameCode(error.code) : 1006;
      this.#ended ??= { code, reason: error.message, by: code === 1006 ? 'network' : 'us' };
      this.#tearDownSoon();
    });
    socket.on('close', (code, reason) => {
      clearInterval(this.#heartbeat);
      this.#ended ??= { code, reason: printable(reason), by: code === 1006 ? 'network' : 'them' };
      this.emit('closed', this.#ended);
    });
    this.#heartbeat = setInterval(() => this.#beat(), limits.heartbeatMs);
  }

  get isOpen(): boolean {
    return this.#ended === undefined && this.socket.readyState === this.socket.OPEN;
  }

  /** Bytes that wait to be sent. */
  get queued(): number {
    return this.socket.bufferedAmount;
  }

  /**
   * Sends, or closes the channel if the other side does not read; false if it is closed or closing.
   * @throws VmcallError PROTOCOL_UNSENDABLE
   */
  send(message: Out): boolean {
    const text = encodeMessage(message, this.sends);
    if (!this.isOpen) return false;
    if (this.queued + Buffer.byteLength(text) > limits.queuedBytes) {
      this.close(closeCodes.slowReader, `${this.queued} bytes are not read`);
      return false;
    }
    this.socket.send(text);
    return true;
  }

  /** Begins the end: a close frame, a little time for its answer, then the connection is torn down. */
  close(code: number, reason: string): void {
    if (this.#ended) return;
    this.#ended = { code, reason, by: 'us' };
    this.socket.close(code, Buffer.from(reason).subarray(0, 120).toString().replace(/�+$/, ''));
    this.#tearDownSoon();
  }

  #tearDownSoon(): void {
    const tearDown = setTimeout(() => this.socket.terminate(), limits.closeGraceMs);
    this.socket.once('close', () => clearTimeout(tearDown));
  }

  #received(data: RawData, isBinary: boolean): void {
    if (!this.#admitted()) return;
    const decoded = isBinary ? { problem: 'a binary frame' } : decodeMessage(data.toString(), this.receives);
    if ('problem' in decoded) this.close(closeCodes.badMessage, decoded.problem);
    else this.emit('message', decoded.message);
  }

  #admitted(): boolean {
    if (this.#ended) return false;
    this.#heard = performance.now();
    if (this.#rate.take(this.#heard)) return true;
    this.close(closeCodes.tooManyFrames, `more than ${limits.framesPerSecond} frames a second`);
    return false;
  }

  #beat(): void {
    const now = performance.now();
    const late = now - this.#beatAt - limits.heartbeatMs;
    this.#beatAt = now;
    if (!this.isOpen) return;
    // This process was stopped: what was said meanwhile is read after this, and all at once.
    if (late > stallMs) {
      this.#heard += late;
      this.#rate.grant(late);
    }
    const silence = now - this.#heard;
    if (silence > limits.silenceMs)
      this.close(closeCodes.silent, `nothing heard for ${Math.round(silence)} ms`);
    else if (silence >= limits.pingAfterMs) this.socket.ping();
  }
}

/** The close code that the library sends for an error of its own (RFC 6455 section 7.4.1). */
function brokenFrameCode(code: string): number {
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' || code === 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH')
    return standardCloseCodes.tooLarge;
  if (code === 'WS_ERR_TOO_MANY_BUFFERED_PARTS') return standardCloseCodes.policyViolation;
  return code === 'WS_ERR_INVALID_UTF8' ? standardCloseCodes.invalidText : standardCloseCodes.protocolError;
}

function printable(reason: Buffer): string {
  return reason.toString().replaceAll(/\p{Cc}/gu, ' ');
}
