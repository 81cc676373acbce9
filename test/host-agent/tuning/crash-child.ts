// SPDX-License-Identifier: Apache-2.0
// Tunes, or restores, a recorded host and is killed before or after its n-th change of it.
import { argv, exit, kill, pid } from 'node:process';
import type { Host } from '../../../host-agent/host/host.js';
import { QemuProcesses } from '../../../host-agent/tuning/qemu-process.js';
import { resolveTarget } from '../../../host-agent/tuning/target.js';
import { apply, openJournal, planTuning, restore } from '../../../host-agent/tuning/tune.js';
import { systemAt } from './recorded-host.js';

const [, , work = '', root = '', state = '', when = '', number = '0'] = argv;
const changes = ['write', 'setAffinity', 'setScheduling', 'setCoalescing'];

const system = systemAt(root);
let count = 0;
const host = new Proxy<Host>(system.host, {
  get(inner, name) {
    const value: unknown = Reflect.get(inner, name);
    if (typeof value !== 'function') return value;
    const method = (...words: unknown[]): unknown => Reflect.apply(value, inner, words);
    if (!changes.includes(String(name))) return method;
    return (...words: unknown[]) => {
      count++;
      if (count === Number(number) && when === 'before') kill(pid, 'SIGKILL');
      const result = method(...words);
      if (count === Number(number) && when === 'after') kill(pid, 'SIGKILL');
      return result;
    };
  },
});
const watched = { host, domains: new QemuProcesses(host) };
const target = await resolveTarget(host, {
  domain: await watched.domains.find('dpdk0'),
  pins: new Map(),
  nics: new Map(),
  cpus: [],
  maxExitLatency: null,
});
const journal = openJournal(host, state);
if (work === 'apply') await apply(watched, journal, planTuning(watched, target));
else await restore(watched, journal, false);
journal.close();
exit(0);
