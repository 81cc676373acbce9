// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { closeCodes } from '../../src/protocol/codes.js';
import { limits } from '../../src/protocol/limits.js';
import {
  type GuestMessage,
  guestMessageSchema,
  type HostMessage,
  hostMessageSchema,
} from '../../src/protocol/messages.js';
import { Channel, webSocketLimits } from '../../src/session/channel.js';

type GuestChannel = Channel<HostMessage, GuestMessage>;

let server: WebSocketServer;

beforeEach(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...webSocketLimits });
  await once(server, 'listening');
});
afterEach(() => {
  for (const client of server.clients) client.terminate();
  server.close();
});

/** A guest's channel, and the bare socket at the host's end of it. */
async function connect(): Promise<{ channel: GuestChannel; far: WebSocket }> {
  const arrived = once(server, 'connection');
  const socket = new WebSocket(
    `ws://127.0.0.1:${(server.address() as { port: number }).port}`,
    webSocketLimits,
  );
  await once(socket, 'open');
  const [far] = (await arrived) as [WebSocket];
  return { channel: new Channel(socket, hostMessageSchema, guestMessageSchema), far };
}

const report: GuestMessage = {
  type: 'report',
  measurement: '0b9e2f6c-7a4d-4b6e-9c11-2f8d4e6a1b3c',
  sequence: 1,
  elapsed_us: 1,
  path: 'vmcall',
  wake_latency: {
    unit: 'ns',
    delta: { count: 0, histogram: 'A'.repeat(limits.histogramCharacters) },
    total: { count: 0, min: null, max: 0, sum: 0 },
  },
  counters: {},
};

describe('a slow reader', () => {
  test('is closed with 4430 while others go on, and what waited for it stays bounded', async () => {
    const slow = await connect();
    const good = await connect();
    slow.far.pause();
    let received = 0;
    good.far.on('message', () => received++);
    let ended: { code: number; by: string } | undefined;
    slow.channel.once('closed', (closed) => {
      ended = closed;
    });
    let sent = 0;
    let most = 0;
    // The kernel's own buffers take some megabytes first.
    for (; slow.channel.isOpen && sent < 5000; sent++) {
      slow.channel.send(report);
      good.channel.send(report);
      most = Math.max(most, slow.channel.queued);
      await new Promise(setImmediate);
    }
    expect(sent).toBeLessThan(5000);
    expect(most).toBeLessThanOrEqual(limits.queuedBytes);
    expect(slow.channel.send(report)).toBe(false);
    await once(slow.channel, 'closed');
    expect(ended).toMatchObject({ code: closeCodes.slowReader, by: 'us' });
    await expect.poll(() => received).toBe(sent);
    expect(good.channel.isOpen).toBe(true);
  });

  test('that does not answer the close frame either is torn down', async () => {
    const { channel, far } = await connect();
    far.pause();
    channel.close(closeCodes.badMessage, 'for the test');
    const [closed] = await once(channel, 'closed');
    expect(closed).toMatchObject({ code: closeCodes.badMessage, by: 'us' });
  });
});

describe('sending', () => {
  test('what fits no schema throws and is not sent', async () => {
    const { channel, far } = await connect();
    const wrong = { ...report, elapsed_us: -1 } as GuestMessage;
    expect(() => channel.send(wrong)).toThrow(expect.objectContaining({ code: 'PROTOCOL_UNSENDABLE' }));
    channel.send(report);
    const [data] = await once(far, 'message');
    expect(JSON.parse(String(data))).toEqual(report);
  });

  test('messages that came before a bad one are delivered, those after it are not', async () => {
    const { channel, far } = await connect();
    const seen: HostMessage[] = [];
    channel.on('message', (message) => seen.push(message));
    const ack = { type: 'ack', version: 1, capabilities: [], agent: 'x' };
    for (const text of [JSON.stringify(ack), 'nonsense', JSON.stringify(ack)]) far.send(text);
    await once(channel, 'closed');
    expect(seen).toEqual([ack]);
  });

  test('a reason too long for a close frame is cut between characters', async () => {
    const { channel, far } = await connect();
    channel.close(closeCodes.badMessage, 'ä'.repeat(200));
    const [code, reason] = await once(far, 'close');
    expect(code).toBe(closeCodes.badMessage);
    expect(String(reason)).toMatch(/^ä+$/);
  });
});

describe('liveness', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const ack: HostMessage = { type: 'ack', version: 1, capabilities: [], agent: 'x' };

  test('one that is silent is pinged, one that was heard is not', async () => {
    const { channel, far } = await connect();
    let pings = 0;
    far.on('ping', () => pings++);
    vi.advanceTimersByTime(limits.heartbeatMs - 1);
    far.send(JSON.stringify(ack));
    await once(channel, 'message');
    vi.advanceTimersByTime(1);
    channel.send(report);
    await once(far, 'message');
    expect(pings).toBe(0);
    vi.advanceTimersByTime(limits.heartbeatMs);
    await once(far, 'ping');
    expect(pings).toBe(1);
  });

  test('one whose reader stood still is not taken for silent, and may say at once what it said meanwhile', async () => {
    const { channel, far } = await connect();
    vi.advanceTimersByTime(limits.heartbeatMs);
    // The process is stopped: no timer runs for two minutes, and then all at once.
    const real = performance.now.bind(performance);
    const stall = 120_000;
    vi.spyOn(performance, 'now').mockImplementation(() => real() + stall);
    vi.advanceTimersByTime(limits.heartbeatMs);
    expect(channel.isOpen).toBe(true);
    let heard = 0;
    const all = new Promise<void>((resolve) =>
      channel.on('message', () => {
        if (++heard === 2 * limits.frameBurst) resolve();
      }),
    );
    for (let i = 0; i < 2 * limits.frameBurst; i++) far.send(JSON.stringify(ack));
    await all;
    expect(channel.isOpen).toBe(true);
    vi.restoreAllMocks();
  });

  test('one that stays silent is closed with 4431', async () => {
    const { channel, far } = await connect();
    far.pause();
    const closed = once(channel, 'closed');
    vi.advanceTimersByTime(limits.silenceMs + limits.heartbeatMs);
    expect(await closed).toMatchObject([{ code: closeCodes.silent, by: 'us' }]);
  });
});
