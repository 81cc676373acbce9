// SPDX-License-Identifier: Apache-2.0
import { LineChannel } from './lines.js';

/** How long QEMU's monitor may take to answer, in ms of the lab's clock. */
const answerTimeout = 60_000;

interface Answer {
  return?: unknown;
  error?: { class: string; desc: string };
}

/** QEMU's machine protocol: one command at a time, events ignored. */
export class Qmp {
  private constructor(private readonly channel: LineChannel) {}

  static async connect(path: string): Promise<Qmp> {
    return Qmp.over(await LineChannel.connect('QMP', path));
  }

  static async over(channel: LineChannel): Promise<Qmp> {
    const qmp = new Qmp(channel);
    await qmp.channel.next(answerTimeout, (line) => line.includes('"QMP"'));
    await qmp.execute('qmp_capabilities');
    return qmp;
  }

  async execute(command: string, parameters?: Record<string, unknown>): Promise<unknown> {
    const request = JSON.stringify({ execute: command, ...(parameters && { arguments: parameters }) });
    const line = await this.channel.ask(request, answerTimeout, (text) => !text.includes('"event"'));
    const answer = JSON.parse(line) as Answer;
    if (answer.error) throw new Error(`QMP ${command}: ${answer.error.class}: ${answer.error.desc}`);
    return answer.return;
  }

  close(): void {
    this.channel.close();
  }
}
