// SPDX-License-Identifier: Apache-2.0
import { exitCodes, VmcallError } from '../src/support/errors.js';
import type { Log } from '../src/support/log.js';
import type { DomainLogs } from './bounded-log.js';
import type { HostConfiguration, Settings } from './configuration.js';
import { hostCertificate, renewedCertificate } from './enrolment/certificate.js';
import { EnrolmentStore } from './enrolment/store.js';
import type { GuestSession } from './guest-sessions/guest-session.js';
import { GuestSessions } from './guest-sessions/server.js';
import { Listening } from './listening.js';

/** Listens for guest agents, retries where it cannot yet, and renews the certificate and the address while it runs. */
export class GuestListener {
  #sessions: GuestSessions | undefined;
  #listening: Listening | undefined;
  #served: { pem: string; expires: number } | undefined;

  /** @param opened is called for each session that a guest agent opens */
  constructor(
    private readonly settings: Settings,
    private readonly log: Log,
    private readonly logs: DomainLogs,
    private readonly opened: (session: GuestSession) => void,
  ) {}

  /** Why it cannot listen; undefined before `start()`. */
  get listening(): Pick<Listening, 'what' | 'problem'> | undefined {
    return this.#listening;
  }

  /** The port it listens on; undefined while it does not. */
  get port(): number | undefined {
    return this.#sessions?.port;
  }

  /** When the certificate that is served expires, Unix time, s; undefined while none is served. */
  get certificateExpires(): number | undefined {
    return this.#served?.expires;
  }

  /** The session of a domain's guest agent, if it has one. */
  session(uuid: string): GuestSession | undefined {
    return this.#sessions?.get(uuid);
  }

  /** Resolves after the first attempt, however it went. */
  async start(): Promise<void> {
    await this.#listening?.stop();
    this.#listening = new Listening(
      'guests',
      async () => {
        this.#sessions = await this.#open(this.settings.current);
      },
      this.log,
    );
    await this.#listening.start();
  }

  async stopListening(): Promise<void> {
    await this.#listening?.stop();
  }

  async stopSessions(): Promise<void> {
    await this.#sessions?.stop();
  }

  /**
   * Listens as another configuration says. The port may be the same, so the old sessions end first; if the new
   * address cannot be listened on, the old one is again.
   * @throws VmcallError LISTEN_FAILED
   */
  async replace({ guests, state }: HostConfiguration): Promise<void> {
    await this.stopListening();
    await this.stopSessions();
    const { settings } = this;
    const wanted = { ...settings.current, guests, state };
    try {
      this.#sessions = await this.#open(wanted);
      settings.current = wanted;
    } catch (error) {
      await this.start();
      throw error;
    }
  }

  /** Serves a certificate that replaced the one before; no session ends. @returns whether there is another */
  async renewCertificate(): Promise<boolean> {
    if (!this.#sessions) return false;
    const { state } = this.settings.current;
    const { pem, expires, fingerprint } = await renewedCertificate(state.folder);
    if (pem === this.#served?.pem) return false;
    this.#sessions.renew(pem);
    this.#served = { pem, expires };
    this.log.info({ fingerprint }, 'another certificate is served');
    return true;
  }

  async #open({ guests, state, libvirt }: HostConfiguration): Promise<GuestSessions> {
    const { pem, expires } = await hostCertificate(state.folder);
    this.#served = { pem, expires };
    const enrolments = new EnrolmentStore(state.folder);
    try {
      const sessions = await GuestSessions.listen({
        ...guests,
        pem,
        enrolments,
        log: this.log,
        logs: this.logs,
      });
      this.log.info({ guests: { ...guests, port: sessions.port }, libvirt: libvirt.uri }, 'listening');
      sessions.on('open', (session) => this.opened(session));
      return sessions;
    } catch (error) {
      throw new VmcallError(
        'LISTEN_FAILED',
        `guests.address ${guests.address}, guests.port ${guests.port}: ${(error as Error).message}`,
        'Name an address of this host and a port that is free',
        exitCodes.configuration,
        { cause: error },
      );
    }
  }
}
