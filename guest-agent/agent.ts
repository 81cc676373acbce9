// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Path } from '../src/protocol/fields.js';
import type { Health, MethodResult, Params } from '../src/protocol/messages.js';
import { RequestError } from '../src/session/request-error.js';
import type { Handlers } from '../src/session/responder.js';
import type { Daemon } from '../src/support/daemon.js';
import { describeError } from '../src/support/errors.js';
import type { Log } from '../src/support/log.js';
import { answered } from './answered.js';
import { type GuestConfiguration, hostAddress, readGuestConfiguration } from './configuration.js';
import { CurrentMeasurement } from './current-measurement.js';
import { healthOf } from './health.js';
import { pathWithoutHost, whyNotUpheld } from './path.js';
import { firstPath, programKeeper, wantedThreshold, withoutThreshold } from './program/configured.js';
import type { ProgramKeeper } from './program/program-keeper.js';
import { SessionKeeper } from './session/session-keeper.js';

const healthMs = 5_000;

/** The guest agent: one DPDK program, one session with the host, and what the host asks for in between. */
export class GuestAgent implements Daemon {
  readonly #handlers: Handlers = {
    'set-path': (params, signal) => this.#inTurn(signal, () => this.#setPath(params)),
    'start-measurement': (params, signal) =>
      this.#inTurn(signal, async () => this.#measurement.start(this.#ready(), params, signal)),
    'stop-measurement': (params, signal) => this.#inTurn(signal, () => this.#measurement.finish(params)),
    'get-health': () => this.#health(),
  };
  readonly #stop = new AbortController();
  #wanted: Path;
  #program: ProgramKeeper;
  #keeper: SessionKeeper;
  readonly #measurement: CurrentMeasurement;
  #turn: Promise<unknown> = Promise.resolve();
  #watching: Promise<void> = Promise.resolve();

  private constructor(
    private readonly file: string,
    private configuration: GuestConfiguration,
    address: Awaited<ReturnType<typeof hostAddress>>,
    private readonly log: Log,
  ) {
    this.#wanted = firstPath(configuration);
    this.#measurement = new CurrentMeasurement((message) => this.#keeper.send(message), log);
    this.#program = this.#newProgram();
    this.#keeper = this.#newKeeper(address);
  }

  /** @throws VmcallError CONFIG_* */
  static async create(file: string, log: Log): Promise<GuestAgent> {
    const configuration = await readGuestConfiguration(file);
    return new GuestAgent(file, configuration, await hostAddress(configuration), log);
  }

  /** Ready once both are being kept; neither the dataplane nor the host need be there yet. */
  async start(): Promise<void> {
    this.#program.start();
    this.#keeper.start();
    this.#watching = this.#watch();
  }

  /** Applies what changed in the file; a file with errors changes nothing. */
  async reload(): Promise<void> {
    try {
      const before = this.configuration;
      const after = await readGuestConfiguration(this.file);
      const address = await hostAddress(after);
      await this.#inTurn(this.#stop.signal, () => this.#reloadProgram(before, after));
      if (!isDeepStrictEqual(before.host, after.host)) {
        await this.#keeper.stop();
        this.#keeper = this.#newKeeper(address);
        this.#keeper.start();
      }
      // Only now: what failed is not done, and the next reload does it.
      this.configuration = after;
      this.log.info('configuration reloaded');
    } catch (error) {
      this.log.error({ err: error }, `not reloaded: ${describeError(error)}`);
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort(new RequestError('SHUTTING_DOWN'));
    this.#measurement.end('SHUTTING_DOWN', 'the guest agent is stopping');
    await this.#keeper.stop();
    await this.#watching;
    await this.#program.stop();
  }

  #newProgram(): ProgramKeeper {
    const program = programKeeper(this.configuration, this.log);
    program.on('running', (foundOn) => {
      // At once: a health that named another path as wanted would have the host switch.
      this.#wanted = foundOn ?? this.#wanted;
      void this.#inTurn(this.#stop.signal, () => this.#takeUp()).catch((error: unknown) => this.#tell(error));
    });
    program.on('ended', (why) => {
      this.#measurement.end('DATAPLANE_RESTARTED', why);
      void this.#sendHealth();
    });
    return program;
  }

  #newKeeper(address: Awaited<ReturnType<typeof hostAddress>>): SessionKeeper {
    return new SessionKeeper({
      address,
      handlers: this.#handlers,
      log: this.log,
      onOpen: () => void this.#sendHealth(),
      // A measurement belongs to its session.
      onLost: () => void this.#measurement.drop(),
    });
  }

  /** One thing at a time is done to the dataplane; what waited beyond its deadline is not begun. */
  async #inTurn<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(async () => {
      signal.throwIfAborted();
      return work();
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** The dataplane has just come up: the path wanted, which of one that ran on without us is the path it is on. */
  async #takeUp(): Promise<void> {
    const { dataplane } = this.#program;
    const threshold = wantedThreshold(this.configuration);
    if (threshold !== undefined) await dataplane.setIdleThreshold(threshold);
    const { path, refusal } = await dataplane.setPath(this.#wanted);
    this.log.info({ path, wanted: this.#wanted, refusal }, 'the dataplane runs');
    await this.#sendHealth();
  }

  async #setPath({
    path: wanted,
    idle_threshold_us: threshold,
  }: Params<'set-path'>): Promise<MethodResult<'set-path'>> {
    const dataplane = this.#ready();
    const before = await answered(dataplane.info());
    const { path, refusal } = await answered(dataplane.setPath(wanted));
    this.log.info({ wanted, path, before: before.path, refusal }, 'path set');
    if (path !== wanted)
      throw new RequestError('PATH_REFUSED', refusal?.message, { reason: refusal?.code ?? '', path });
    this.#wanted = wanted;
    const inForce =
      threshold === undefined
        ? before.idleThresholdUs
        : await answered(dataplane.setIdleThreshold(threshold));
    void this.#sendHealth();
    return { path, idle_threshold_us: inForce, switched: before.path !== path };
  }

  async #reloadProgram(before: GuestConfiguration, after: GuestConfiguration): Promise<void> {
    const { dataplane, application } = after;
    const taken = { ...before, dataplane, application };
    const threshold = wantedThreshold(after);
    if (!isDeepStrictEqual(withoutThreshold(before), withoutThreshold(after))) {
      this.#measurement.end('DATAPLANE_RESTARTED', 'its configuration was changed');
      await this.#program.stop();
      this.#wanted = firstPath(after);
      this.configuration = taken;
      this.#program = this.#newProgram();
      this.#program.start();
    } else if (
      threshold !== undefined &&
      threshold !== wantedThreshold(before) &&
      this.#program.state === 'running'
    ) {
      await this.#program.dataplane.setIdleThreshold(threshold);
    }
    this.configuration = taken;
  }

  #ready() {
    if (this.#program.state !== 'running')
      throw new RequestError('NOT_READY', `the dataplane is ${this.#program.state}`);
    return this.#program.dataplane;
  }

  /** Reports its health to the host, and handles a path that does not work while no host is connected. */
  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await delay(healthMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      await this.#sendHealth();
      await this.#inTurn(signal, () => this.#withoutHost()).catch((error: unknown) => this.#tell(error));
    }
  }

  async #withoutHost(): Promise<void> {
    const { state, dataplane } = this.#program;
    if (state !== 'running') return;
    const info = await dataplane.info();
    const lostAfterMs = this.configuration.host.lost_after_s * 1000;
    const path = pathWithoutHost(this.#wanted, info, this.#keeper.lostFor, lostAfterMs);
    if (path === undefined) return;
    const outcome = await dataplane.setPath(path);
    this.log.warn(
      { wanted: this.#wanted, ...outcome, why: whyNotUpheld(this.#wanted, info) },
      'no host and the wanted path is not upheld: interrupts from now on',
    );
    this.#wanted = path;
  }

  async #sendHealth(): Promise<void> {
    const health = await this.#health();
    this.#keeper.send({ type: 'health', health });
  }

  #health(): Promise<Health> {
    return healthOf(this.#program, this.#wanted);
  }

  #tell(error: unknown): void {
    if (!this.#stop.signal.aborted) this.log.error({ err: error }, describeError(error));
  }
}
