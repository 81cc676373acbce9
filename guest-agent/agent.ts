// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { MeasurementEndCode } from '../src/protocol/codes.js';
import type { Path } from '../src/protocol/fields.js';
import { limits } from '../src/protocol/limits.js';
import type { Health, MethodResult, Params } from '../src/protocol/messages.js';
import { RequestError } from '../src/session/request-error.js';
import type { Handlers } from '../src/session/responder.js';
import type { Daemon } from '../src/support/daemon.js';
import { describeError, VmcallError } from '../src/support/errors.js';
import type { Log } from '../src/support/log.js';
import { type GuestConfiguration, hostAddress, readGuestConfiguration } from './configuration.js';
import { Measurement, MeasurementBroken } from './measurement.js';
import { pathWithoutHost, whyNotUpheld } from './path.js';
import { Attachment } from './program/attachment.js';
import type { ProgramKeeper } from './program/program-keeper.js';
import { Supervisor } from './program/supervisor.js';
import { SessionKeeper } from './session/session-keeper.js';

const healthMs = 5_000;

/** The guest agent: one DPDK program, one session with the host, and what the host asks for in between. */
export class GuestAgent implements Daemon {
  readonly #handlers: Handlers = {
    'set-path': (params, signal) => this.#inTurn(signal, () => this.#setPath(params)),
    'start-measurement': (params, signal) =>
      this.#inTurn(signal, () => this.#startMeasurement(params, signal)),
    'stop-measurement': (params, signal) => this.#inTurn(signal, () => this.#stopMeasurement(params)),
    'get-health': () => this.#look(),
  };
  readonly #stop = new AbortController();
  #wanted: Path;
  #program: ProgramKeeper;
  #keeper: SessionKeeper;
  #measurement: Measurement | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #watching: Promise<void> = Promise.resolve();

  private constructor(
    private readonly file: string,
    private configuration: GuestConfiguration,
    address: Awaited<ReturnType<typeof hostAddress>>,
    private readonly log: Log,
  ) {
    this.#wanted = firstPath(configuration);
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
    this.#endMeasurement('SHUTTING_DOWN', 'the guest agent is stopping');
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
      this.#endMeasurement('DATAPLANE_RESTARTED', why);
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
      onLost: () => this.#dropMeasurement(),
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

  async #startMeasurement(
    { measurement: id, interval_ms: interval, wake_times: wakeTimes }: Params<'start-measurement'>,
    signal: AbortSignal,
  ): Promise<MethodResult<'start-measurement'>> {
    const dataplane = this.#ready();
    if (this.#measurement) throw new RequestError('BUSY', `measurement ${this.#measurement.id} is on`);
    const measurement = new Measurement(id, dataplane, (report) => this.#keeper.send(report), wakeTimes);
    await answered(
      measurement.start(interval, (error) => {
        if (this.#measurement !== measurement) return;
        const code = error instanceof MeasurementBroken ? error.code : 'DATAPLANE_FAILED';
        this.#endMeasurement(code, error instanceof Error ? error.message : String(error));
      }),
    );
    const { path } = await answered(dataplane.info());
    if (signal.aborted) {
      // Nobody waits for it any more.
      measurement.abandon();
      throw signal.reason;
    }
    this.#measurement = measurement;
    this.log.info({ measurement: id, interval_ms: interval, path }, 'measurement started');
    return { path };
  }

  async #stopMeasurement({
    measurement: id,
  }: Params<'stop-measurement'>): Promise<MethodResult<'stop-measurement'>> {
    const measurement = this.#measurement;
    if (measurement?.id !== id) throw new RequestError('NO_MEASUREMENT');
    this.#measurement = undefined;
    await answered(measurement.finish());
    this.log.info({ measurement: id, reports: measurement.reports }, 'measurement stopped');
    return { reports: measurement.reports };
  }

  #dropMeasurement(): Measurement | undefined {
    const measurement = this.#measurement;
    this.#measurement = undefined;
    measurement?.abandon();
    return measurement;
  }

  #endMeasurement(code: MeasurementEndCode, why: string): void {
    const measurement = this.#dropMeasurement();
    if (!measurement) return;
    this.log.warn({ measurement: measurement.id, code }, why);
    this.#keeper.send({
      type: 'measurement-ended',
      measurement: measurement.id,
      code,
      message: forPeople(why),
    });
  }

  async #reloadProgram(before: GuestConfiguration, after: GuestConfiguration): Promise<void> {
    const { dataplane, application } = after;
    const taken = { ...before, dataplane, application };
    const threshold = wantedThreshold(after);
    if (!isDeepStrictEqual(withoutThreshold(before), withoutThreshold(after))) {
      this.#endMeasurement('DATAPLANE_RESTARTED', 'its configuration was changed');
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
    const health = await this.#look();
    this.#keeper.send({ type: 'health', health });
  }

  async #look(): Promise<Health> {
    const { state, restarts, dataplane } = this.#program;
    const known = { dataplane: state, wanted: this.#wanted, restarts };
    const nothing = { path: null, upheld: false, idle_threshold_us: null, version: null };
    if (state !== 'running') return { ...known, ...nothing, reason: forHealth(this.#program.problem) };
    try {
      const info = await dataplane.info();
      const why = whyNotUpheld(this.#wanted, info);
      return {
        ...known,
        path: info.path,
        upheld: why === undefined,
        reason: forHealth(why),
        idle_threshold_us: info.idleThresholdUs,
        version: forPeople(info.version),
      };
    } catch (error) {
      const { code, message } =
        error instanceof VmcallError ? error : { code: 'INTERNAL', message: String(error) };
      return { ...known, ...nothing, reason: forHealth({ code, message }) };
    }
  }

  #tell(error: unknown): void {
    if (!this.#stop.signal.aborted) this.log.error({ err: error }, describeError(error));
  }
}

function programKeeper({ dataplane, application }: GuestConfiguration, log: Log): ProgramKeeper {
  if (dataplane) return new Supervisor(dataplane, log);
  if (application) return new Attachment(application, log);
  throw new Error('a configuration without a program passed its schema');
}

/** Until the host says otherwise, or the program is found on another. */
function firstPath({ dataplane }: GuestConfiguration): Path {
  return dataplane?.path ?? 'poll';
}

function wantedThreshold({ dataplane, application }: GuestConfiguration): number | undefined {
  return (dataplane ?? application)?.idle_threshold_us;
}

/** What a program has to be started, or found, again for. */
function withoutThreshold({ dataplane, application }: GuestConfiguration): unknown {
  return [dataplane, application].map((each) => each && { ...each, idle_threshold_us: undefined });
}

function forHealth(why: { code: string; message: string } | undefined): Health['reason'] {
  return why ? { code: why.code, message: forPeople(why.message) } : null;
}

/** The dataplane's failures as the protocol has them. */
async function answered<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof VmcallError || error instanceof MeasurementBroken)
      throw new RequestError('DATAPLANE_FAILED', error.message);
    throw error;
  }
}

function forPeople(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ').slice(0, limits.textCharacters);
}
