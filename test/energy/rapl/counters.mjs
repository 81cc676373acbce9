// SPDX-License-Identifier: Apache-2.0
// Counts as RAPL's counters do: uJ by the monotonic clock.
import { renameSync, writeFileSync } from 'node:fs';

const range = 65_532_610_987;
const began = performance.now();

function count() {
  const seconds = (performance.now() - began) / 1000;
  const zones = { 'intel-rapl:0': (range - 40e6 + 20e6 * seconds) % range, 'intel-rapl:0:0': 5e6 * seconds };
  for (const [zone, energy] of Object.entries(zones)) {
    const file = `/sys/class/powercap/${zone}/energy_uj`;
    // A reader never sees half of it.
    writeFileSync(`${file}.new`, `${Math.floor(energy)}\n`);
    renameSync(`${file}.new`, file);
  }
}

count();
setInterval(count, 10);
