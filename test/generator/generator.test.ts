// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generatorResultSchema } from '../../src/results/generator-result.js';
import { projectRoot } from '../../src/support/paths.js';

const run = promisify(execFile);
const macs = { sender: '52:54:00:00:01:01', mirror: '52:54:00:00:01:02' };
const sender = `vmcall-sender-${process.pid}`;
const mirror = `vmcall-mirror-${process.pid}`;

/** Two network namespaces; the second one routes whatever comes back to where it came from. */
async function setUp(): Promise<void> {
  const inMirror = (...words: string[]) => run('ip', ['netns', 'exec', mirror, ...words]);
  for (const name of [sender, mirror]) await run('ip', ['netns', 'add', name]);
  await run('ip', [
    ...['-n', sender, 'link', 'add', 'name', 'va', 'address', macs.sender, 'type', 'veth'],
    ...['peer', 'name', 'vb', 'address', macs.mirror, 'netns', mirror],
  ]);
  await run('ip', ['-n', sender, 'link', 'set', 'va', 'up']);
  await inMirror('ip', 'link', 'set', 'vb', 'up');
  await inMirror('ip', 'address', 'add', '198.18.1.1/24', 'dev', 'vb');
  await inMirror('ip', 'route', 'add', '198.18.0.1/32', 'dev', 'vb');
  await inMirror('ip', 'neighbour', 'add', '198.18.0.1', 'lladdr', macs.sender, 'dev', 'vb');
  const values = {
    ip_forward: 1,
    'conf/all/rp_filter': 0,
    'conf/vb/rp_filter': 0,
    'conf/all/send_redirects': 0,
  };
  for (const [name, value] of Object.entries(values))
    await inMirror('sh', '-c', `echo ${value} > /proc/sys/net/ipv4/${name}`);
}

describe('generator', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vmcall-generator-'));
    await run('make', ['-s', '-C', join(projectRoot, 'src', 'generator'), `O=${folder}`]);
    await setUp();
  }, 60_000);

  afterAll(async () => {
    for (const name of [sender, mirror]) await run('ip', ['netns', 'delete', name]);
    await rm(folder, { recursive: true, force: true });
  });

  /** Sends on the wire between the namespaces; times in ns. */
  async function send(...words: string[]) {
    const samples = join(folder, 'samples.csv');
    await writeFile(samples, '');
    const { stdout } = await run('ip', [
      ...['netns', 'exec', sender, join(folder, 'vmcall-generator'), '--interface', 'va', '--json'],
      ...['--destination-mac', macs.mirror, '--samples', samples, ...words],
    ]);
    const packets = (await readFile(samples, 'utf8'))
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',').map(Number))
      .map(([, sent = Number.NaN, roundTrip = Number.NaN]) => ({ sent, roundTrip }));
    return { result: generatorResultSchema.parse(JSON.parse(stdout)), packets };
  }

  test('counts each packet once, and gives the exact minimum and maximum of what it measured', async () => {
    const { result, packets } = await send('--count', '50', '--interval-us', '1000', '--warmup', '5');
    expect(result).toMatchObject({
      sent: 50,
      received: 50,
      lost: 0,
      duplicate: 0,
      reordered: 0,
      postponed: 0,
    });
    expect(packets).toHaveLength(50);
    const roundTrips = packets.map(({ roundTrip }) => roundTrip);
    expect(result.rtt_ns).toMatchObject({ min: Math.min(...roundTrips), max: Math.max(...roundTrips) });
  });

  test('keeps quiet after a reply where it is told to, says how often, and loses no packet of the count', async () => {
    const quiet = 5_000_000;
    const { result, packets } = await send(
      ...['--count', '20', '--interval-us', '1000', '--quiet-us', String(quiet / 1000)],
    );
    expect(result).toMatchObject({ sent: 20, received: 20, lost: 0, postponed: 19 });
    packets.slice(1).forEach(({ sent }, index) => {
      const before = packets[index];
      expect(sent - (before?.sent ?? 0) - (before?.roundTrip ?? 0)).toBeGreaterThanOrEqual(quiet);
    });
  });
});
