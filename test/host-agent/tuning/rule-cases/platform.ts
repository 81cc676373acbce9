// SPDX-License-Identifier: Apache-2.0
import { maps, type RuleCase } from './trees.js';

export const platformCases: RuleCase[] = [
  ['memory-node', 'warn', { files: maps(1048576, 'N0=8') }, { files: maps(1048576, 'N1=8') }, /nodeset="1"/],
  [
    'hugepage-size',
    'warn',
    { files: maps(2048, 'N1=4096') },
    { files: maps(1048576, 'N1=8') },
    /hugepagesz=1G/,
  ],
  [
    'nova-cpu-power',
    'warn',
    {
      files: {
        '/etc/nova/nova.conf':
          '[DEFAULT]\n[libvirt]\ncpu_power_management = True\ncpu_power_management_strategy=cpu_state\n',
      },
    },
    {
      files: {
        '/etc/nova/nova.conf':
          '[other]\ncpu_power_management = True\n[libvirt]\ncpu_power_management =\nvirt_type=kvm\n',
      },
    },
    /nova.conf/,
  ],
  [
    'nova-cpu-power',
    'warn',
    {
      files: {
        '/etc/kolla/nova-compute/nova.conf':
          '[libvirt]\n# x\ncpu_power_management=true\ncpu_power_management_strategy = governor\n',
      },
    },
    { files: { '/etc/nova/nova.conf': '[libvirt]\n#cpu_power_management=true\n' } },
    /governor/,
  ],
  [
    'crio-annotations',
    'warn',
    {
      files: {
        '/run/containers/storage/overlay-containers/ab/userdata/config.json':
          '{"annotations":{"cpu-c-states.crio.io":"disable"}}',
      },
    },
    { files: { '/etc/crio/crio.conf.d/99.conf': 'allowed_annotations = ["irq-load-balancing.crio.io"]' } },
    /annotation/,
  ],
];
