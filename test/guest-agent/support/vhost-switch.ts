// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DpdkProgram } from './dpdk-program.js';
import type { NetworkNamespace } from './network-namespace.js';

/**
 * The other end of a `virtio_user` port: Debian's testpmd, which forwards between it and a TAP interface. Such a port
 * has true RX interrupts, armed by a flag in shared memory, with no NIC and no VM.
 */
export class VhostSwitch {
  private constructor(
    private readonly folder: string,
    readonly program: DpdkProgram,
    readonly socket: string,
  ) {}

  /** @param netInterface name of the TAP interface it makes */
  static async start(
    namespace: NetworkNamespace,
    client: string,
    netInterface: string,
  ): Promise<VhostSwitch> {
    const folder = mkdtempSync(join(tmpdir(), 'vmcall-vhost-'));
    const socket = join(folder, 'vhost');
    const program = DpdkProgram.start(namespace, 'dpdk-testpmd', client, {
      eal: [
        ...['--lcores', '0@0,1@1'],
        ...['--vdev', `net_vhost0,iface=${socket}`, '--vdev', `net_tap0,iface=${netInterface}`],
      ],
      own: ['--total-num-mbufs=2048', '--auto-start'],
    });
    // Its standard output is buffered from here on: it waits for its links now, ours among them.
    await program.says(/Checking link statuses/);
    return new VhostSwitch(folder, program, socket);
  }

  get vdev(): string[] {
    return ['--vdev', `virtio_user0,path=${this.socket},queue_size=256`];
  }

  async stop(): Promise<void> {
    await this.program.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
