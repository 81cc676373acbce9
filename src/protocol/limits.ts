// SPDX-License-Identifier: Apache-2.0

/** Every bound of `vmcall.v1`, as PROTOCOL.md lists them. Both sides keep them, and neither trusts the other to. */
export const limits = {
  /** Bytes of one message. The largest is a report: 15 KiB of histogram, 30 KiB of wakes, 64 counters. */
  frameBytes: 64 * 1024,
  /** Fragments of one message. */
  fragments: 16,
  /** Bytes waiting to be sent, above which the other side is a slow reader. */
  queuedBytes: 256 * 1024,
  /** Frames received in a second, pings and pongs too; and how many may come at once. */
  framesPerSecond: 50,
  frameBurst: 100,
  /** Requests under way in one direction. */
  requestsInFlight: 16,
  /** A request's deadline, ms. */
  deadlineMs: { least: 100, usual: 10_000, most: 60_000 },
  /** From the upgrade to the hello, and from the hello to its ack, ms. */
  helloTimeoutMs: 5_000,
  /** How often is looked whether the other side lives; and for how long it was silent that a ping is sent, ms. */
  heartbeatMs: 10_000,
  pingAfterMs: 5_000,
  /** Nothing received for this long ends the session, ms. */
  silenceMs: 25_000,
  /** From a close frame to the end of the connection, ms. */
  closeGraceMs: 1_000,
  /** Characters of a histogram in base64; DPDK's telemetry gives 15 KiB at most. */
  histogramCharacters: 20_000,
  /** Bytes of a histogram once inflated: 27 Ki counts of nine bytes and a header, as HDR V2 has it. */
  histogramBytes: 256 * 1024,
  /** Of the times of wakes in a report: characters of a part, as DPDK's telemetry gives them, and parts. */
  wakeTimesCharacters: 15 * 1024,
  wakeTimesParts: 2,
  /** Counters in a report. */
  counters: 64,
  /** Characters of a text that a person reads. */
  textCharacters: 500,
  /** Time between two reports of a measurement, ms. */
  reportIntervalMs: { least: 100, usual: 1_000, most: 60_000 },
} as const;
