// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostCertificate } from '../../host-agent/enrolment/certificate.js';
import { EnrolmentStore } from '../../host-agent/enrolment/store.js';

/** A domain of the bench, and what its guest needs to speak for it. */
export interface BenchDomain {
  name: string;
  uuid: string;
  secret: string;
  /** Its VM's folder in what stands for KVM's sysfs. */
  kvm: string;
}

/** Above the default pid_max (linux: include/linux/threads.h), so that none of these processes is one. */
const firstPid = 5_000_000;

/** What stands for sysfs must wait for no disk. */
const inMemory = '/dev/shm';

/**
 * A host in a folder, for the host agent to run on: domains for libvirt's test driver, KVM's files for each, the agent's
 * configuration, and an enrolment for each guest.
 */
export class StandInHost {
  private constructor(
    readonly folder: string,
    readonly domains: readonly BenchDomain[],
    readonly fingerprint: string,
  ) {}

  static async create(guests: number): Promise<StandInHost> {
    const folder = await mkdtemp(join(existsSync(inMemory) ? inMemory : tmpdir(), 'vmcall-bench-'));
    try {
      const state = join(folder, 'state');
      const { fingerprint } = await hostCertificate(state);
      const store = new EnrolmentStore(state);
      const root = join(folder, 'root');
      const domains: BenchDomain[] = [];
      for (let index = 0; index < guests; index++) {
        const name = `bench-${index}`;
        const uuid = `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
        const kvm = join(root, 'sys/kernel/kvm', `${firstPid + index}-12`);
        await mkdir(kvm, { recursive: true });
        for (const file of ['vcpu_yield', 'irqfd_hardirq']) await writeFile(join(kvm, file), '0\n');
        await writeFile(join(kvm, 'vcpu_yields'), '000000000\n');
        const process = join(root, 'proc', String(firstPid + index));
        await mkdir(process, { recursive: true });
        await writeFile(join(process, 'cmdline'), `qemu-system-x86_64\0-uuid\0${uuid}\0`);
        domains.push({ name, uuid, secret: await store.issue(uuid), kvm });
      }
      const host = new StandInHost(folder, domains, fingerprint);
      await writeFile(host.nodeFile, nodeXml(domains));
      await writeFile(host.configurationFile, host.#configuration());
      return host;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get root(): string {
    return join(this.folder, 'root');
  }

  get socket(): string {
    return join(this.folder, 'control.sock');
  }

  get configurationFile(): string {
    return join(this.folder, 'host-agent.toml');
  }

  get nodeFile(): string {
    return join(this.folder, 'node.xml');
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** As installed, but for where things are. */
  #configuration(): string {
    return `[guests]
address = "127.0.0.1"
port = 0
[libvirt]
uri = ${JSON.stringify(`test://${this.nodeFile}`)}
[control]
socket = ${JSON.stringify(this.socket)}
[state]
folder = ${JSON.stringify(join(this.folder, 'state'))}
[metrics]
address = "127.0.0.1"
port = 0
`;
  }
}

/** A node with these domains running, for libvirt's test driver (libvirt: src/test/test_driver.c, testOpenFromFile). */
function nodeXml(domains: readonly BenchDomain[]): string {
  const domain = ({ name, uuid }: BenchDomain) =>
    `<domain type='test'><name>${name}</name><uuid>${uuid}</uuid><memory>65536</memory><vcpu>1</vcpu>` +
    `<os><type>hvm</type></os></domain>`;
  return `<node>${domains.map(domain).join('\n')}</node>\n`;
}
