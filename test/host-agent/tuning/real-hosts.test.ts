// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HostSystem } from '../../../host-agent/tuning/knob.js';
import { look } from './look.js';
import { recordedHost, systemAt, unpack } from './recorded-host.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vmcall-hosts-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function host(name: string): HostSystem {
  unpack(recordedHost(name), root);
  return systemAt(root);
}

type Found = Awaited<ReturnType<typeof look>>['found'];
const severity = (found: Found, code: string) => found.find((finding) => finding.code === code)?.severity;

describe('devices that a VM holds', () => {
  test('a NIC on a variant driver is the guest’s, and its vCPU is put below its thread before throttling goes', async () => {
    const { lines } = await look(host('vfio-variant-driver'), 'dpdk0');
    const [below, throttling] = ['vcpu-scheduler dpdk0/vcpu/1 -> fifo:10', 'rt-throttling'].map((line) =>
      lines.findIndex((one) => one.startsWith(line)),
    );
    expect(below).toBeGreaterThan(0);
    expect(throttling).toBeGreaterThan(below ?? 0);
  });

  test('on a fit host it is judged, and its interrupt is no stranger', async () => {
    const { found } = await look(host('fit-host-variant-driver'), 'router');
    expect(found.filter((finding) => finding.severity !== 'ok')).toEqual([]);
    expect(found.find(({ code }) => code === 'nic-driver')?.read).toContain('mlx5_vfio_pci');
    expect(severity(found, 'irq-affinity')).toBe('ok');
  });

  test('a domain without a NIC is not fit, and nothing that rests on one is set', async () => {
    const { found, lines } = await look(host('fit-host-virtio-only'), 'router');
    expect(severity(found, 'no-nic')).toBe('fail');
    expect(lines.filter((line) => /throttling|scheduler|hardirq/.test(line))).toEqual([]);
  });

  test('an idle function of the same group is not', async () => {
    const { target } = await look(host('vfio-shared-group-idle-function'), 'dpdk0');
    expect(target.nics).toEqual([{ address: '0000:81:00.0', cpus: [6] }]);
  });

  test('a group shared with a host driver fails', async () => {
    const { found } = await look(host('vfio-group-shared-with-host-driver'), 'dpdk0');
    expect(severity(found, 'iommu-group')).toBe('fail');
  });

  test('a PCI domain has five digits too', async () => {
    const { target } = await look(host('pci-domain-five-digits'), 'dpdk0');
    expect(target.facts?.hostdevs).toEqual(['0000:81:00.0', '10000:e1:00.0']);
  });
});

describe('which domain', () => {
  test('a name that is another’s process id is the name', async () => {
    const { target } = await look(host('domain-name-is-a-pid'), '2000');
    expect(target.facts).toMatchObject({ name: '2000', pid: 3000 });
    expect(target.undecided.map(({ code }) => code)).toContain('vcpu-0');
  });

  test.each(['upf-1', '2000', 'B2A0F9F6-54A1-4C9D-8A55-0F6C2F1D7E10'])(
    'Proxmox’s kvm is found by %s',
    async (word) => {
      const { target } = await look(host('proxmox-kvm'), word);
      expect(target.facts).toMatchObject({ name: 'upf-1', pid: 2000 });
    },
  );
});

describe('whose CPUs', () => {
  test.each(['nova-dedicated-no-isolcpus', 'nova-realtime-mask'])(
    '%s: QEMU goes to the housekeeping CPUs, vCPU 0 stays ordinary',
    async (name) => {
      const { lines, target } = await look(host(name), 'instance-0000000a');
      expect(lines).toContain('emulator-pin instance-0000000a/emulator -> 0-1');
      expect(lines.filter((line) => line.includes('/vcpu/'))).toEqual([]);
      expect(target.dpdk).toEqual([{ vcpu: 1, cpu: 5 }]);
    },
  );

  test.each([
    [{ '2000/task/2014': ['IO iothread1', 'other', '6'] }, 'iothread-on-dpdk-cpu'],
    [{ '2000/task/2014': ['vhost-2000', 'other', '6'] }, 'vhost-on-dpdk-cpu'],
    [{ '950': ['vhost-2000', 'other', '6'] }, 'vhost-on-dpdk-cpu'],
  ] as const)('%j on the DPDK CPU is a finding', async (threads, code) => {
    const recorded = recordedHost('xeon-rt');
    unpack(
      { ...recorded, threads: { ...recorded.threads, ...(threads as unknown as typeof recorded.threads) } },
      root,
    );
    expect(severity((await look(systemAt(root), 'dpdk0')).found, code)).toBe('fail');
  });

  test('another VM’s vCPU there is one, and keeps throttling in force', async () => {
    const recorded = recordedHost('xeon-rt');
    unpack(
      {
        ...recorded,
        files: {
          ...recorded.files,
          '/proc/3000/cmdline': '/usr/bin/kvm\0-name\0other\0',
          '/sys/kernel/debug/kvm/3000-9/vcpu0/pid': '3010',
        },
        threads: {
          ...recorded.threads,
          '3000': ['kvm', 'other', '0-1'],
          '3000/task/3010': ['CPU 0/KVM', 'other', '6'],
        },
      },
      root,
    );
    const { found, lines } = await look(systemAt(root), 'dpdk0');
    expect(severity(found, 'cpu-of-another-vm')).toBe('fail');
    expect(lines.filter((line) => /throttling|scheduler/.test(line))).toEqual([]);
  });

  test('rcu_nocbs=all is every CPU', async () => {
    const { found } = await look(host('rcu-nocbs-all'), 'dpdk0');
    expect(severity(found, 'rcu-nocbs')).toBe('ok');
  });
});

describe('what delays a packet', () => {
  test('states disabled in sysfs are not entered', async () => {
    const { found } = await look(host('cpuidle-deep-states-disabled'), 'dpdk0');
    expect(severity(found, 'resume-latency')).toBeUndefined();
  });

  test('coalescing by frames goes with that by time', async () => {
    const nics = new Map([['0000:81:00.0', null]]);
    const { lines } = await look(host('coalescing-rx-frames'), null, { cpus: [6], nics });
    expect(lines).toContain('interrupt-throttling ens1f0 -> rx-usecs 0 rx-frames 1 adaptive-rx off');
  });
});
