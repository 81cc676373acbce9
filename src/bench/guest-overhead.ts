// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'smol-toml';
import { ControlClient } from '../control/client.js';
import { makeIn } from '../setup/build.js';
import { dataplaneFolder, dataplaneSources } from '../setup/dataplane-sources.js';
import { cached } from '../support/cache.js';
import { cpuTimeOf } from '../support/cpu-time.js';
import { exitCodes, VmcallError } from '../support/errors.js';
import { projectRoot } from '../support/paths.js';
import type { Progress } from '../support/progress.js';
import { AgentProcess } from './agent-process.js';
import { StandInHost } from './stand-in-host.js';

export interface GuestOverhead {
  /** Of one CPU: the guest agent, with its telemetry client. */
  cpuShare: number;
  seconds: number;
  /** Histograms it sent meanwhile, and wakes in them. */
  reports: number;
  wakes: number;
}

/** What starts only once is not what it costs to go on: this long it is let run before, s. */
const warmUpS = 10;
const patienceMs = 60_000;

/** The dataplane's stand-in (guest-agent/dataplane/stand_in.c) and the real telemetry client. */
export async function standInDataplane(): Promise<{ program: string; client: string }> {
  const files = [...dataplaneSources];
  const folder = await cached('dataplane-stand-in', { files, values: [] }, async (target) => {
    await makeIn(dataplaneFolder, target, ['stand-in']);
  });
  return { program: join(folder, 'vmcall-stand-in'), client: join(folder, 'vmcall-telemetry') };
}

/** The guest agent as installed, with a dataplane that wakes each 350 us, sending a histogram a second to a host agent. */
export async function measureGuestOverhead(seconds: number, progress: Progress): Promise<GuestOverhead> {
  progress.step(`a guest agent sends a histogram a second, for ${seconds} s`);
  const dataplane = await standInDataplane();
  const host = await StandInHost.create(1);
  const prefix = `vmcall-bench-${process.pid}`;
  let agent: AgentProcess | undefined;
  let guest: ReturnType<typeof spawn> | undefined;
  try {
    const started = await AgentProcess.start(host, false);
    agent = started.agent;
    const file = join(host.folder, 'guest-agent.toml');
    await writeFile(file, configuration(host, started.port, dataplane, prefix), { mode: 0o600 });
    const words = [join(projectRoot, 'dist', 'src', 'cli', 'main.js'), 'guest-agent', '--config', file];
    guest = spawn(process.execPath, words, { stdio: 'ignore' });
    return await measure(host, guest.pid ?? 0, seconds);
  } finally {
    if (guest && guest.exitCode === null) {
      const exited = once(guest, 'exit');
      guest.kill('SIGTERM');
      await exited;
    }
    await agent?.stop();
    await host.remove();
    await rm(`/var/run/dpdk/${prefix}`, { recursive: true, force: true });
  }
}

async function measure(host: StandInHost, pid: number, seconds: number): Promise<GuestOverhead> {
  const client = new ControlClient(host.socket);
  const uuid = host.domains[0]?.uuid ?? '';
  await onPath(client, uuid);
  const result = { reports: 0, wakes: 0 };
  const stop = new AbortController();
  const measuring = (async () => {
    const order = { domains: [uuid], seconds: warmUpS + seconds + 1, interval_ms: 1000 };
    for await (const event of client.measure(order, stop.signal))
      if (event.type === 'report') {
        result.reports++;
        result.wakes += event.report.wake_latency.delta.count;
      }
  })();
  await delay(warmUpS * 1000);
  const before = cpuTime(pid);
  const began = performance.now();
  Object.assign(result, { reports: 0, wakes: 0 });
  await delay(seconds * 1000);
  const took = (performance.now() - began) / 1000;
  const cpuS = cpuTime(pid) - before;
  const counted = { ...result };
  stop.abort();
  await measuring;
  return { cpuShare: cpuS / took, seconds: took, ...counted };
}

/** Until the guest is on the VM-call path, as `vmcall enable` has it. */
async function onPath(client: ControlClient, uuid: string): Promise<void> {
  const until = performance.now() + patienceMs;
  const health = async () => (await client.status()).domains.find((one) => one.uuid === uuid)?.guest?.health;
  let isAsked = false;
  for (;;) {
    const now = await health();
    if (now?.path === 'vmcall' && isAsked) return;
    if (now?.dataplane === 'running' && !isAsked) {
      await client.desire(uuid, 'vmcall');
      isAsked = true;
    }
    if (performance.now() > until)
      throw new VmcallError(
        'BENCH_FAILED',
        `the guest agent has no dataplane on the VM-call path after ${patienceMs / 1000} s`,
        'Run this as root: the dataplane answers under /var/run/dpdk',
        exitCodes.unsupported,
      );
    await delay(250);
  }
}

/** CPU time of a process and of its telemetry client, s; the dataplane is a child too and is not counted. */
function cpuTime(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean);
  const clients = children.filter(
    (child) => readFileSync(`/proc/${child}/comm`, 'utf8').trim() === 'vmcall-telemetr',
  );
  return [pid, ...clients.map(Number)].reduce((sum, each) => sum + cpuTimeOf(each), 0);
}

function configuration(
  { domains, fingerprint }: StandInHost,
  port: number,
  { program, client }: { program: string; client: string },
  prefix: string,
): string {
  const { uuid = '', secret = '' } = domains[0] ?? {};
  return stringify({
    host: { url: `wss://127.0.0.1:${port}/guest`, certificate_sha256: fingerprint, domain: uuid, secret },
    dataplane: {
      program,
      telemetry_client: client,
      eal_arguments: [],
      arguments: ['--yields-file', join(domains[0]?.kvm ?? '', 'vcpu_yields')],
      file_prefix: prefix,
    },
  });
}
