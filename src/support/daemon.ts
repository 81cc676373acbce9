// SPDX-License-Identifier: Apache-2.0
import type { Log } from './log.js';

/**
 * Notifies systemd of this service's state (sd_notify(3)), by Debian's systemd-notify, for Node.js has no datagram sockets of
 * the Unix domain. Does nothing without systemd. Needs NotifyAccess=all in the unit.
 */
export async function notifySystemd(assignments: readonly string[], log: Log): Promise<void> {
  if (!process.env.NOTIFY_SOCKET) return;
  // Here, for a guest without systemd need not load it: a quarter of the guest agent's files.
  const { execa } = await import('execa');
  try {
    await execa('systemd-notify', [`--pid=${process.pid}`, ...assignments], { timeout: 10_000 });
  } catch (error) {
    log.error({ err: error }, 'systemd could not be notified');
  }
}

/**
 * Says twice in the time that systemd gives (systemd.service(5), WatchdogSec=) that this process still answers: from its
 * event loop, so that one that is stuck is killed and restarted. Does nothing where no watchdog is set.
 * @returns ends it
 */
function keepWatchdog(log: Log): () => void {
  const everyMs = Number(process.env.WATCHDOG_USEC ?? 0) / 2_000;
  if (!(everyMs > 0)) return () => {};
  const timer = setInterval(() => void notifySystemd(['WATCHDOG=1'], log), everyMs);
  return () => clearInterval(timer);
}

/** A daemon, as the process's signals drive it. */
export interface Daemon {
  /** Resolves once it is of use. */
  start(): Promise<void>;
  /** Reloads its configuration; what is wrong with it is the daemon's to log. */
  reload(): Promise<void>;
  /** Resolves once nothing of it is left. */
  stop(): Promise<void>;
}

/** Runs a daemon until SIGTERM or SIGINT; SIGHUP reloads. */
export async function runDaemon(daemon: Daemon, log: Log): Promise<void> {
  const ended = new Promise<NodeJS.Signals>((resolve) => {
    // Not once(): execa's exit hook ends the process at a signal that has no other listener left.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
  });
  let reloading: Promise<void> = Promise.resolve();
  process.on('SIGHUP', () => {
    reloading = reloading.then(async () => {
      await notifySystemd(['RELOADING=1'], log);
      await daemon.reload();
      await notifySystemd(['READY=1'], log);
    });
  });
  await daemon.start();
  await notifySystemd(['READY=1'], log);
  const endWatchdog = keepWatchdog(log);
  const signal = await ended;
  log.info({ signal }, 'stopping');
  await notifySystemd(['STOPPING=1'], log);
  await reloading;
  await daemon.stop();
  endWatchdog();
  log.info('stopped');
}
