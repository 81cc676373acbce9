// SPDX-License-Identifier: Apache-2.0
// A host agent in a process of its own, on a folder in place of the host's files: `agent-process.js CONFIG ROOT [STEP]`.
// With STEP it kills itself just before it does that step's work, as SIGKILL at that very moment would.
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { HostAgent } from '../../../host-agent/agent.js';
import { FileHost } from '../../../host-agent/host/host.js';
import { SystemCommands } from '../../../host-agent/host/host-commands.js';
import { TuningKeeper } from '../../../host-agent/tuning/upkeep/keeper.js';
import type { NewUpkeep } from '../../../host-agent/upkeep.js';
import { runDaemon } from '../../../src/support/daemon.js';
import { describeError, VmcallError } from '../../../src/support/errors.js';
import { createLog } from '../../../src/support/log.js';

const [config = '', root = '', dieAtWrite = ''] = process.argv.slice(2);

/** The real files; dies where the test says: at the write of `FILE=VALUE`, or after it with `+` behind. */
class DyingHost extends FileHost {
  /** Looks at a domain: each reads KVM's switch once. */
  looks = 0;
  writes = 0;

  override read(path: string): string | null {
    if (path.endsWith('/vcpu_yield')) this.looks++;
    return super.read(path);
  }

  override write(path: string, value: string): void {
    this.writes++;
    const write = `${path.split('/').at(-1)}=${value}`;
    if (write === dieAtWrite) process.kill(process.pid, 'SIGKILL');
    this.#writeInPlace(path, value);
    if (`${write}+` === dieAtWrite) process.kill(process.pid, 'SIGKILL');
  }

  /** A kernel's file is never empty: one that is killed between truncating and writing would leave what none does. */
  #writeInPlace(path: string, value: string): void {
    const file = openSync(join(root, path), 'r+');
    writeSync(file, `${value}\n`, 0);
    ftruncateSync(file, value.length + 1);
    closeSync(file);
  }
}

try {
  const log = createLog('host-agent');
  const host = new DyingHost(root, new SystemCommands());
  process.on('SIGUSR2', () => log.info({ looks: host.looks, writes: host.writes }, 'so far'));
  const newUpkeep: NewUpkeep = (options) => new TuningKeeper({ ...options, host, log });
  await runDaemon(await HostAgent.create(config, log, host, newUpkeep), log);
  process.exit(0);
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exit(error instanceof VmcallError ? error.exitCode : 1);
}
