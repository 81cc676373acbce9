// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { mkdir, readdir, rmdir, writeFile } from 'node:fs/promises';
import type { Host } from '../host/host.js';

const instances = '/sys/kernel/tracing/instances';
/** What is ours there, by agent: one that died leaves it, and the next takes it away. */
const nameOf = (pid: number, name: string) => `vmcall-${pid}-${name}`;
const ours = /^vmcall-(\d+)-/;
/** Of each CPU; some four thousand interrupts. The oldest are overwritten. */
const bufferKiB = 256;

/**
 * When a PCI function's interrupts came, by the host's TSC at the entry of their hard handlers: the tracepoint
 * irq:irq_handler_entry in an instance of ftrace of its own (linux: Documentation/trace/ftrace.rst, "Instances"). Costs
 * the host nothing before it is started and after it is stopped.
 */
export class InterruptTrace {
  private constructor(
    private readonly host: Pick<Host, 'read'>,
    private readonly folder: string,
  ) {}

  /**
   * @param name of the trace, the same for nothing else
   * @param address of the PCI function, as in `vfio-msix[0](0000:81:00.0)` (linux: drivers/vfio/pci/vfio_pci_intrs.c)
   * @throws Error tracefs is not there or does not take it; nothing is left
   */
  static async start(host: Pick<Host, 'read'>, name: string, address: string): Promise<InterruptTrace> {
    const folder = `${instances}/${nameOf(process.pid, name)}`;
    await mkdir(folder);
    const trace = new InterruptTrace(host, folder);
    const event = `${folder}/events/irq/irq_handler_entry`;
    try {
      await writeFile(`${folder}/buffer_size_kb`, String(bufferKiB));
      await writeFile(`${folder}/trace_clock`, 'x86-tsc');
      await writeFile(`${folder}/options/record-cmd`, '0').catch(() => {});
      await writeFile(`${event}/filter`, `name ~ "*(${address})"`);
      await writeFile(`${event}/enable`, '1');
      return trace;
    } catch (error) {
      await trace.stop();
      throw error;
    }
  }

  /** Takes away what an agent that died left behind. */
  static async removeLeftOvers(): Promise<void> {
    const names = await readdir(instances).catch(() => []);
    for (const name of names) {
      const pid = ours.exec(name)?.[1];
      if (pid !== undefined && (Number(pid) === process.pid || !existsSync(`/proc/${pid}`)))
        await remove(`${instances}/${name}`);
    }
  }

  /** The host's TSC at each interrupt since the last time, in the order of time. */
  take(): bigint[] {
    const text = this.host.read(`${this.folder}/trace_pipe`) ?? '';
    return [...text.matchAll(/ (\d+): irq_handler_entry: /g)].map(([, tsc = '0']) => BigInt(tsc));
  }

  async stop(): Promise<void> {
    await remove(this.folder);
  }
}

/** Its events end with an instance, too, but it may not be busy. */
async function remove(folder: string): Promise<void> {
  await writeFile(`${folder}/events/enable`, '0').catch(() => {});
  await rmdir(folder);
}
