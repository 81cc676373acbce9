// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { testDevices } from '../machine.js';
import type { Plan } from '../plan.js';
import { parseTap, type TestCase, windowMissed } from '../tap.js';
import { readText } from './commands.js';
import { emit } from './events.js';
import { kernelLog } from './kernel-log.js';
import { bind } from './nic.js';
import type { Steps } from './steps.js';

const stderrLinesKept = 200;
const outputLinesKept = 5000;
const kernelLogLinesKept = 100;
/** Objects freed by RCU and work queues are gone after this long, ms. */
const settling = 1000;
/** On a machine with much else to do a window is hit less often. */
const turnsMost = 8;
/**
 * A ring in a race's window, between the vCPU's last look and its block, is counted in what the race prints; as lost by
 * a KVM that forgets it.
 */
const isHit = (notes: string) => /\b(?:window|lost)=[1-9]/.test(notes) && !notes.includes(windowMissed);

/** Runs the series' kernel selftests, one after the other, and looks at what each leaves behind. */
export async function selftests(plan: Plan, steps: Steps): Promise<void> {
  const { selftests: folder, testPrograms = [] } = plan;
  if (folder === undefined) throw new Error('the plan names no folder of selftests');
  for (const address of Object.values(testDevices)) bind(address, 'vfio-pci');
  const idle = await keepOneVm();
  for (const { program, arguments: words, windows = [] } of testPrograms)
    await steps.take(program, async () => {
      const missed = new Set(windows);
      for (let turn = 1; turn === 1 || (missed.size > 0 && turn <= turnsMost); turn++) {
        const cases = await selftest(folder, program, words, (line) => steps.say(`${program}: ${line}`));
        for (const { name, notes } of cases) if (isHit(notes.join('\n'))) missed.delete(name);
      }
    });
  idle.kill();
}

/** One run of a program, and what it leaves behind. */
async function selftest(
  folder: string,
  program: string,
  words: string[],
  sign: (line: string) => void,
): Promise<TestCase[]> {
  const before = await kernelState();
  const { ended, output, stderr } = await follow(`${folder}/${program}`, words, sign);
  await new Promise((resolve) => setTimeout(resolve, settling));
  const after = await kernelState();
  const { cases, incomplete } = parseTap(output);
  for (const testCase of cases) emit({ type: 'test-case', program, ...testCase });
  emit({
    type: 'test-program',
    program,
    arguments: words,
    ended,
    incomplete,
    stderr,
    vmsLeft: after.vms - before.vms,
    moduleUsesLeft: after.moduleUses - before.moduleUses,
    slabGrowth: after.slab - before.slab,
    kernelLog: after.log.slice(before.log.length).slice(0, kernelLogLinesKept),
  });
  return cases;
}

/**
 * A VM with a vCPU that never runs, for the life of L1: KVM changes its code when the first VM appears and the last one
 * goes, and when no vCPU is left whose APIC is disabled by software, as after a reset. An emulator with parallel CPUs
 * may run what it translated before, with the breakpoint of the change in it.
 */
export async function keepOneVm(): Promise<{ kill(): void }> {
  const words = ['-machine', 'q35', '-accel', 'kvm', '-m', '16', '-nodefaults', '-display', 'none', '-S'];
  const child = spawn('qemu-system-x86_64', words, { stdio: 'ignore' });
  // The vCPU comes after its VM, and what is counted before and after a program must hold both.
  while (!vms().some(hasVcpu)) {
    if (child.exitCode !== null) throw new Error(`the idle VM ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return child;
}

/** VMs that KVM knows: folders PID-FD in its debugfs. */
function vms(): string[] {
  return readdirSync('/sys/kernel/debug/kvm').filter((name) => /^\d+-\d+$/.test(name));
}

const hasVcpu = (vm: string) => existsSync(`/sys/kernel/debug/kvm/${vm}/vcpu0`);

interface KernelState {
  vms: number;
  moduleUses: number;
  /** Unreclaimable slab memory, KiB. */
  slab: number;
  log: string[];
}

async function kernelState(): Promise<KernelState> {
  const vendor = readdirSync('/sys/module').find((name) => name === 'kvm_amd' || name === 'kvm_intel');
  if (!vendor) throw new Error('neither kvm_amd nor kvm_intel is loaded');
  return {
    vms: vms().length,
    moduleUses: Number(readText(`/sys/module/${vendor}/refcnt`)),
    slab: Number(/^SUnreclaim:\s+(\d+) kB$/m.exec(readText('/proc/meminfo'))?.[1]),
    log: await kernelLog(),
  };
}

/** Runs a program to its end; each line of its stdout is a sign of life. */
async function follow(
  program: string,
  words: readonly string[],
  sign: (line: string) => void,
): Promise<{ ended: number | string; output: string; stderr: string[] }> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  const output: string[] = [];
  const stderr: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (output.length < outputLinesKept) output.push(line);
    sign(line);
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    stderr.push(line);
    if (stderr.length > stderrLinesKept) stderr.shift();
  });
  const ended = await new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  return { ended, output: `${output.join('\n')}\n`, stderr };
}
