// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../../host/host.js';
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
    'systemctl disable --now irqbalance; or let it ban the NIC’s interrupts (man irqbalance: --banirq).',
  );
}

/** Its profile sets ksm and halt polling as we do (tuned: profiles/realtime-virtual-host). */
const agreeing = ['realtime-virtual-host'];

function tuned(host: Host, running: ReadonlySet<string>): Finding {
  if (!running.has('tuned')) return ok('tuned', 'not running');
  const profile = host.read('/etc/tuned/active_profile') ?? 'unknown';
  if (agreeing.includes(profile))
    return ok('tuned', `running with profile ${profile}, which agrees with ours`);
  return warn(
    'tuned',
    `tuned is running with profile "${profile}": it sets PM QoS, sysctls and KVM’s parameters again when it starts or changes profile`,
    'tuned-adm profile realtime-virtual-host, or systemctl disable --now tuned.',
  );
}

/** linux: Documentation/admin-guide/mm/ksm.rst */
function ksm(host: Host, running: ReadonlySet<string>): Finding {
  const merging = host.read('/sys/kernel/mm/ksm/run') === '1';
  if (!merging && !running.has('ksmtuned')) return ok('ksm', 'not merging pages');
  return warn(
    'ksm',
    `${running.has('ksmtuned') ? 'ksmtuned is running' : 'KSM merges pages'}: a write to a merged page of the guest faults on the host`,
    'systemctl disable --now ksmtuned ksm; echo 2 > /sys/kernel/mm/ksm/run.',
  );
}
