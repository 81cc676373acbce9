// SPDX-License-Identifier: Apache-2.0
// What tests of the host agent as a process stand on, put up and taken down by vitest's hooks.
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { formatDesired, metadataPrefix, metadataUri } from '../../../host-agent/libvirt/metadata.js';
import { type Connection, openConnection } from '../../../host-agent/native/connection.js';
import type { Domain } from '../../../host-agent/native/domain.js';
import { standInDataplane } from '../../../src/bench/guest-overhead.js';
import { projectRoot } from '../../../src/support/paths.js';
import { buildTimeout, builtAddon } from '../native/children.js';
import { type Libvirtd, startLibvirtd } from '../native/libvirtd.js';
import { domain, HostBench } from './host-bench.js';
import { RealGuest } from './real-guest.js';
import type { StandInGuest } from './stand-in-guest.js';

export const onVmcall = { desired: 'vmcall', actual: 'vmcall', phase: 'reached', reason: null };
export const onInjected = { desired: 'injected', actual: 'injected', phase: 'reached', reason: null };

function there<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('not there before the test begins');
  return part;
}

/** A libvirtd with libvirt's test driver, and for each test a HostBench on it. */
export class TestHost {
  #libvirtd: Libvirtd | undefined;
  #libvirt: Connection | undefined;
  #handle: Domain | undefined;
  #bench: HostBench | undefined;
  #guest: StandInGuest | undefined;

  constructor() {
    beforeAll(() => builtAddon(), buildTimeout);
    beforeAll(() => this.connect());
    afterAll(async () => {
      await this.libvirt.close();
      await this.libvirtd.stop();
    });
    beforeEach(async () => {
      await this.handle.setMetadata(metadataUri, metadataPrefix, null, 'live+config').catch(() => {});
      this.#bench = await HostBench.create(this.uri);
    });
    afterEach(() => this.bench.stop());
  }

  /** The test driver's domains live as long as somebody is connected. */
  async connect(at?: string): Promise<void> {
    this.#libvirtd = await startLibvirtd(at);
    this.#libvirt = await openConnection(this.uri);
    this.#handle = await this.#libvirt.domainByUuid(domain.uuid);
  }

  get libvirtd(): Libvirtd {
    return there(this.#libvirtd);
  }

  get uri(): string {
    return this.libvirtd.uri('test:///default');
  }

  get libvirt(): Connection {
    return there(this.#libvirt);
  }

  get handle(): Domain {
    return there(this.#handle);
  }

  get bench(): HostBench {
    return there(this.#bench);
  }

  get guest(): StandInGuest {
    return there(this.#guest);
  }

  desire(path: 'vmcall' | 'injected'): Promise<void> {
    return this.handle.setMetadata(metadataUri, metadataPrefix, formatDesired(path), 'live+config');
  }

  async startGuest(): Promise<void> {
    this.#guest = await this.bench.startGuest();
  }

  /** Host agent and guest; resolves when the one knows the other. */
  async startBoth(): Promise<void> {
    await this.bench.startAgent();
    await this.startGuest();
    await this.bench.until({ guest: { health: { dataplane: 'running' } } });
  }

  /** `vmcall WORDS`, whatever becomes of it. */
  vmcall(...words: string[]) {
    const socket = words.includes('--socket') || words[0] === 'enroll' ? [] : ['--socket', this.bench.socket];
    return execa(process.execPath, [join(projectRoot, 'dist/src/cli/main.js'), ...words, ...socket], {
      reject: false,
    });
  }
}

/** With a real guest agent and the dataplane's stand-in in each test, on the injected path to begin with. */
export class RealHost extends TestHost {
  #realGuest: RealGuest | undefined;

  constructor() {
    super();
    beforeAll(() => standInDataplane(), buildTimeout);
    beforeEach(async () => {
      await this.bench.startAgent();
      await this.startGuestAgent();
      await this.bench.until({ guest: { health: { dataplane: 'running', path: 'injected' } } });
    }, 60_000);
    afterEach(() => this.realGuest.stop());
  }

  async startGuestAgent(options: Parameters<typeof RealGuest.start>[1] = {}): Promise<void> {
    this.#realGuest = await RealGuest.start(this.bench, options);
  }

  get realGuest(): RealGuest {
    return there(this.#realGuest);
  }
}
