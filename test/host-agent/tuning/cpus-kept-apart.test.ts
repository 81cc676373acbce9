// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { lookAt, root } from './changed-host.js';
import type { Change } from './recorded-host.js';

describe('CPUs that are kept apart', () => {
  const place = async (change: Change) =>
    (await lookAt('nova-dedicated-no-isolcpus', change, 'instance-0000000a')).lines.find((line) =>
      line.startsWith('emulator-pin'),
    );
  const plain = 'BOOT_IMAGE=/vmlinuz intel_iommu=on iommu=pt';
  const bare = {
    '/proc/cmdline': plain,
    '/sys/devices/system/cpu/nohz_full': ' (null)',
  };
  const anywhere = { '1': ['systemd', 'other', '0-7'] } as const;

  test.each<[string, Change]>([
    [
      'isolcpus with flags',
      { files: { ...bare, '/proc/cmdline': `${plain} isolcpus=nohz,domain,managed_irq,2-7` } },
    ],
    ['isolcpus with strides', { files: { ...bare, '/proc/cmdline': `${plain} isolcpus=2-3,4-N:1/1` } }],
    ['nohz_full alone', { files: { ...bare, '/sys/devices/system/cpu/nohz_full': '2-7' } }],
    [
      'systemd’s CPUAffinity=',
      { files: { ...bare, '/etc/systemd/system.conf': '[Manager]\nCPUAffinity=0 1\n' } },
    ],
    [
      'a later drop-in of it',
      {
        files: {
          ...bare,
          '/etc/systemd/system.conf': '[Manager]\nCPUAffinity=0-3\n',
          '/etc/systemd/system.conf.d/cpu.conf': '[Manager]\nCPUAffinity=\nCPUAffinity=0-1\n',
        },
      },
    ],
    [
      'a drop-in with a later name, in a folder that comes later',
      {
        files: {
          ...bare,
          '/etc/systemd/system.conf.d/10-all.conf': '[Manager]\nCPUAffinity=0-7\n',
          '/usr/lib/systemd/system.conf.d/50-site.conf': '[Manager]\nCPUAffinity=\nCPUAffinity=0,1\n',
          '/usr/lib/systemd/system.conf.d/90-off.conf': '[Manager]\nCPUAffinity=\nCPUAffinity=0-7\n',
          '/etc/systemd/system.conf.d/90-off.conf': '',
        },
      },
    ],
    [
      'AllowedCPUs= of system.slice',
      { files: { ...bare, '/sys/fs/cgroup/system.slice/cpuset.cpus': '0-1' } },
    ],
    [
      'tuned’s isolated_cores',
      {
        files: {
          ...bare,
          '/etc/tuned/active_profile': 'cpu-partitioning',
          '/etc/tuned/cpu-partitioning-variables.conf': '# comment\nisolated_cores=0-7,^0-1\n',
        },
      },
    ],
    [
      'tuned’s way to calculate them, in a profile that includes it',
      {
        files: {
          ...bare,
          '/etc/tuned/active_profile': 'site',
          '/etc/tuned/site/tuned.conf': '[main]\ninclude=cpu-partitioning\n',
          // biome-ignore lint/suspicious/noTemplateCurlyInString: tuned's own.
          '/etc/tuned/cpu-partitioning-variables.conf': 'isolated_cores=${f:calc_isolated_cores:2}\n',
        },
      },
    ],
    [
      'variables of a profile’s own, as OpenShift’s Node Tuning Operator writes them',
      {
        files: {
          ...bare,
          '/etc/tuned/active_profile': 'openshift-node-performance-site',
          '/etc/tuned/openshift-node-performance-site/tuned.conf':
            '[main]\ninclude=cpu-partitioning\n[variables]\nisolated_cores=2-7\n',
        },
      },
    ],
    [
      'a file of variables that a profile includes',
      {
        files: {
          ...bare,
          '/etc/tuned/active_profile': 'site',
          '/etc/tuned/site/tuned.conf': '[main]\nsummary=x\n[variables]\ninclude=/etc/tuned/cores.conf\n',
          '/etc/tuned/cores.conf': 'isolated_cores = 2-7\n',
        },
      },
    ],
    [
      'a cpuset partition',
      {
        files: {
          ...bare,
          '/sys/fs/cgroup/machine.slice/cpuset.cpus.partition': 'isolated',
          '/sys/fs/cgroup/machine.slice/cpuset.cpus.effective': '2-7',
        },
      },
    ],
    [
      'a remote partition, in the root’s list',
      { files: { ...bare, '/sys/fs/cgroup/cpuset.cpus.isolated': '2-7' } },
    ],
  ])('by %s', async (_by, change) => {
    expect(await place({ ...change, threads: anywhere })).toBe(
      'emulator-pin instance-0000000a/emulator -> 0-1',
    );
  });

  test('an invalid partition is none, and an isolated one does what isolcpus= does', async () => {
    const partition = (state: string) => ({
      files: {
        ...bare,
        '/sys/fs/cgroup/machine.slice/cpuset.cpus.partition': state,
        '/sys/fs/cgroup/machine.slice/cpuset.cpus.effective': '2-7',
      },
      threads: anywhere,
    });
    const isolcpus = async (state: string) =>
      (await lookAt('nova-dedicated-no-isolcpus', partition(state), 'instance-0000000a')).severity(
        'isolcpus',
      );
    expect(await isolcpus('isolated')).toBe('ok');
    rmSync(root, { recursive: true });
    expect(await isolcpus('isolated invalid (Cpu list in cpuset.cpus not exclusive)')).toBe('fail');
    rmSync(root, { recursive: true });
    expect(await isolcpus('root')).toBe('fail');
  });

  test('nothing set apart: never to another instance’s, floating or pinned, nor to a polling thread’s', async () => {
    const files = bare;
    expect(await place({ files, threads: anywhere })).toContain('-> 0-3');
    rmSync(root, { recursive: true });
    const floating = { '3000/task/3010': ['CPU 0/KVM', 'other', '2-3,6-7'] } as const;
    expect(await place({ files, threads: { ...anywhere, ...floating } })).toContain('-> 0-1');
    rmSync(root, { recursive: true });
    const polling = {
      '800': ['ovs-vswitchd', 'other', '0-7'],
      '800/task/801': ['pmd-c02/id:8', 'other', '2'],
    } as const;
    expect(await place({ files, threads: { ...anywhere, ...polling } })).toContain('-> 0-1,3');
  });

  test('a cpuset that has none of the CPUs for ordinary work is reported, not run against', async () => {
    const { lines, severity } = await lookAt(
      'nova-dedicated-no-isolcpus',
      {
        files: {
          '/proc/2000/cgroup': '0::/machine.slice/vm.scope/libvirt/emulator',
          '/sys/fs/cgroup/machine.slice/vm.scope/libvirt/emulator/cpuset.cpus.effective': '4-5',
        },
      },
      'instance-0000000a',
    );
    expect(severity('emulator-place')).toBe('fail');
    expect(lines.filter((line) => /emulator|scheduler|rt-throttling/.test(line))).toEqual([]);
  });
});
