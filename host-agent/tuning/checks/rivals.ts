// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../../host/host.js';
import { tunedAgainst, tunedProfiles } from '../tuned.js';
import { type Finding, ok, warn } from './finding.js';

/** Programs and kernel threads that set the same things as we do. */
export function checkRivals(host: Host): Finding[] {
  const running = new Set(
    host
      .names('/proc')
      .filter((entry) => /^\d+$/.test(entry))
      .map((entry) => host.read(`/proc/${entry}/comm`) ?? ''),
  );
  return [irqbalance(running), tuned(host, running), ksm(host, running)];
}

function irqbalance(running: ReadonlySet<string>): Finding {
  if (!running.has('irqbalance')) return ok('irqbalance', 'not running');
  return warn(
    'irqbalance',
    'irqbalance is running: it moves interrupts away from where they were put',
    'systemctl disable --now irqbalance  # or have it ban the NIC’s interrupts: man irqbalance, --banirq',
  );
}

/** By what the active profile and those that it includes set, not by its name. */
function tuned(host: Host, running: ReadonlySet<string>): Finding {
  if (!running.has('tuned')) return ok('tuned', 'not running');
  const chain = tunedProfiles(host);
  const name = chain.length > 0 ? chain.join(', which includes ') : 'unknown';
  const { against, unknown } = tunedAgainst(host);
  if (against.length > 0)
    return warn(
      'tuned',
      `tuned is running with profile ${name}, and sets ${against.join(', ')}`,
      'systemctl disable --now tuned  # or a profile made for this, such as realtime-virtual-host, which changes boot parameters',
    );
  if (chain.length === 0 || unknown.length > 0)
    return warn(
      'tuned',
      `tuned is running with profile ${name}, of which ${unknown.join(' and ') || 'it'} cannot be read`,
      'tuned-adm profile_info  # tells what it sets',
    );
  return ok('tuned', `running with profile ${name}: nothing of it is against ours`);
}

/** linux: Documentation/admin-guide/mm/ksm.rst */
function ksm(host: Host, running: ReadonlySet<string>): Finding {
  const merging = host.read('/sys/kernel/mm/ksm/run') === '1';
  if (!merging && !running.has('ksmtuned')) return ok('ksm', 'not merging pages');
  const daemon = running.has('ksmtuned');
  return {
    ...warn(
      'ksm',
      `${daemon ? 'ksmtuned is running' : 'KSM merges pages'}: a write to a merged page of the guest faults on the host`,
      `${daemon ? 'systemctl disable --now ksmtuned && ' : ''}echo 2 > /sys/kernel/mm/ksm/run`,
    ),
    undo: `echo ${host.read('/sys/kernel/mm/ksm/run') ?? '0'} > /sys/kernel/mm/ksm/run${daemon ? ' && systemctl enable --now ksmtuned' : ''}`,
  };
}
