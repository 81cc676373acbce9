// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { explained } from '../../../host-agent/tuning/checks/explanations.js';
import { warn } from '../../../host-agent/tuning/checks/finding.js';
import { checkRivals } from '../../../host-agent/tuning/checks/rivals.js';
import { memoryHost } from './memory-host.js';

describe('tuned, by what its profiles set', () => {
  const tuned = (files: Record<string, string>) =>
    checkRivals(memoryHost({ files: { '/proc/703/comm': 'tuned', ...files } })).find(
      ({ code }) => code === 'tuned',
    );
  const active = (name: string) => ({ '/etc/tuned/active_profile': name });
  const own = (text: string) => ({ '/etc/tuned/profiles/site/tuned.conf': text });

  test.each([
    ['realtime-virtual-host', active('realtime-virtual-host')],
    ['cpu-partitioning', active('cpu-partitioning')],
    [
      'one of a site that includes it',
      { ...active('site'), ...own('[main]\ninclude=realtime-virtual-host\n[sysctl]\nvm.swappiness=1\n') },
    ],
    [
      'one that sets a governor over what it includes',
      { ...active('site'), ...own('[main]\ninclude=balanced\n[cpu]\ngovernor=performance\n') },
    ],
    ['the last of several active ones', active('powersave throughput-performance')],
    [
      'the last of several included ones',
      { ...active('site'), ...own('[main]\ninclude=balanced,latency-performance\n') },
    ],
  ])('%s agrees', (_name, files) => expect(tuned(files)?.severity).toBe('ok'));

  test.each([
    ['balanced', active('balanced'), 'governor='],
    [
      'one that includes it',
      { ...active('site'), ...own('[main]\nsummary=x\ninclude=balanced\n') },
      'governor=',
    ],
    [
      'one that throttles',
      {
        ...active('site'),
        ...own('[main]\ninclude=realtime\n[sysctl]\nkernel.sched_rt_runtime_us = 950000\n'),
      },
      'sched_rt_runtime_us=950000',
    ],
    [
      'one whose unit has a name of its own',
      { ...active('site'), ...own('[main]\nsummary=x\n[my_cpus]\ntype=cpu\ngovernor=ondemand\n') },
      'governor=ondemand',
    ],
    [
      'one that is loaded after',
      {
        ...active('realtime'),
        '/etc/tuned/post_loaded_profile': 'site',
        ...own('[cpu]\ngovernor=powersave\n'),
      },
      'governor=powersave',
    ],
    [
      'one that polls',
      {
        ...active('site'),
        ...own('[main]\ninclude=realtime\n[sysfs]\n/sys/module/kvm/parameters/halt_poll_ns=200000\n'),
      },
      'halt_poll_ns=200000',
    ],
    ['the last of several', active('throughput-performance powersave'), 'governor='],
    [
      'the last of those that it includes',
      { ...active('site'), ...own('[main]\ninclude=latency-performance,balanced\n') },
      'governor=',
    ],
    ['one that is not to be found', active('gone'), 'cannot be read'],
    ['none', {}, 'unknown'],
  ])('%s does not', (_name, files, word) => {
    const found = tuned(files);
    expect(found).toMatchObject({ severity: 'warn', read: expect.stringContaining(word) });
    expect(explained(found ?? warn('', '', ''))).toMatchObject({
      why: expect.any(String),
      undo: expect.any(String),
    });
  });
});
