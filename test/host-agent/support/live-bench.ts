// SPDX-License-Identifier: Apache-2.0
import { HostBench } from './host-bench.js';
import type { StandInGuest } from './stand-in-guest.js';

/** A host agent on libvirt's test driver with all that others watch it by, and a guest with traffic on the VM-call path. */
export async function startLiveBench(
  listeners: readonly ('metrics' | 'web')[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ bench: HostBench; guest: StandInGuest }> {
  const bench = await HostBench.create('test:///default');
  bench.more = listeners.map((name) => `[${name}]\naddress = "127.0.0.1"\nport = 0\n`).join('');
  await bench.configure();
  await bench.startAgent('', env);
  const guest = await bench.startGuest();
  await bench.until({ guest: { health: { dataplane: 'running' } } });
  guest.onTick = () => traffic(guest);
  return { bench, guest };
}

/** In 50 ms: 100 packets, each of which wakes the program after 2 to 4 us, but the last after 19; two timeouts. */
function traffic({ measuring, path }: StandInGuest): void {
  const packets = 100;
  measuring.count({ rx: packets, tx: packets, waits: packets + 2, wakes_packet: packets, wakes_timeout: 2 });
  measuring.count({ waits_without_packet: 2, waited_us: 47_000 });
  if (path !== 'vmcall') return;
  for (let packet = 1; packet < packets; packet++) measuring.wake(2_000 + 20 * packet);
  measuring.wake(19_000);
}
