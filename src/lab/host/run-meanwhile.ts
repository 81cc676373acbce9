// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from '../events.js';
import { readText } from './commands.js';
import type { ControlPlane } from './control-plane.js';
import { domainName } from './domain-xml.js';

const secondsAsked = 600;
/** The guest reports each second: in so long there is a second of which all has been reported, ms of the lab's clock. */
const reportsMs = 2_200;

/** `vmcall run` as a user has it, while something happens to those who measure. */
export class RunMeanwhile {
  private constructor(
    private readonly folder: string,
    private readonly run: ReturnType<ControlPlane['startVmcall']>,
  ) {}

  /** Resolves when it asks for reports. */
  static async start(plane: ControlPlane, name: string): Promise<RunMeanwhile> {
    const folder = `/run/lab/runs-${name}`;
    const run = plane.startVmcall(
      ...['run', domainName, '--seconds', String(secondsAsked), '--json', '--output', folder],
    );
    await new Promise<void>((resolve, reject) => {
      let printed = '';
      run.child.stderr?.on('data', (text) => {
        printed += text;
        if (printed.includes('measuring for')) resolve();
      });
      run.child.once('exit', () => reject(new Error(`vmcall run ended early: ${printed}`)));
    });
    return new RunMeanwhile(folder, run);
  }

  /** Resolves when it has the report of a second's packets, if they flow. */
  async reported(): Promise<void> {
    await delay(reportsMs);
  }

  /** As Ctrl-C does. */
  interrupt(): void {
    this.run.child.kill('SIGINT');
  }

  /** When it has ended: by what, and the document that it left. */
  async ended(): Promise<NonNullable<Fault['run']>> {
    const { exitCode, stderr } = await this.run.ended.then(
      () => ({ exitCode: 0, stderr: '' }),
      ({ code, stderr = '' }: { code?: number | string; stderr?: string }) => ({
        exitCode: code ?? 'no exit code',
        stderr,
      }),
    );
    const [kept] = readdirSync(this.folder);
    const result: unknown = kept && JSON.parse(readText(`${this.folder}/${kept}/result.json`));
    return { exitCode, stderr: stderr.slice(-1000), result };
  }
}
