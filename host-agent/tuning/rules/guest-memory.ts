// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../../host/host.js';
import { type Rule, wellRead } from './rule.js';

const gib = 1 << 20;

/** Guest memory on huge pages, KiB, by page size (KiB) and node (linux: fs/proc/task_mmu.c, show_numa_map). */
function hugeMemory(host: Host, pid: number): { page: number; node: number; kib: number }[] {
  const found = new Map<string, { page: number; node: number; kib: number }>();
  for (const line of (host.read(`/proc/${pid}/numa_maps`) ?? '').split('\n')) {
    const page = Number(/kernelpagesize_kB=(\d+)/.exec(line)?.[1] ?? 4);
    if (page < 2048) continue;
    for (const [, node, pages] of line.matchAll(/\bN(\d+)=(\d+)/g)) {
      const key = `${page} ${node}`;
      const before = found.get(key) ?? { page, node: Number(node), kib: 0 };
      found.set(key, { ...before, kib: before.kib + Number(pages) * page });
    }
  }
  return [...found.values()];
}

const nodeOf = (host: Host, address: string) =>
  Number(host.read(`/sys/bus/pci/devices/${address}/numa_node`) ?? -1);

const pool = (host: Host, node: number, page: number, what: string) =>
  Number(
    host.read(`/sys/devices/system/node/node${node}/hugepages/hugepages-${page}kB/${what}_hugepages`) ?? 0,
  );

const size = (page: number) => (page >= gib ? `${page / gib} GiB` : `${page >> 10} MiB`);

export const memoryNode: Rule = {
  code: 'memory-node',
  severity: 'warn',
  why: 'a NIC writes packets to memory of the other socket, and the program reads them from there, across the link between them',
  source:
    'linux: Documentation/admin-guide/mm/numa_memory_policy.rst; libvirt: docs/formatdomain.rst, numatune',
  judge(host, { facts, nics }) {
    const nodes = nics.map(({ address }) => nodeOf(host, address)).filter((node) => node >= 0);
    const used = facts ? hugeMemory(host, facts.pid) : [];
    if (!facts || nodes.length === 0 || used.length === 0) return [];
    const far = used.filter(({ node }) => !nodes.includes(node));
    const list = [...new Set(nodes)].join(',');
    if (far.length === 0)
      return [wellRead(`the huge pages of ${facts.name} are on node ${list}, as the NIC`)];
    return [
      {
        read: `${far.map(({ kib, page, node }) => `${kib >> 10} MiB of ${facts.name}'s memory (${size(page)} pages) is on node ${node}`).join(', ')}; its NIC is on node ${list}`,
        cure: `<numatune><memory mode="strict" nodeset="${list}"/></numatune> in the domain, and start it again.`,
        undo: 'Take <numatune> out again.',
      },
    ];
  },
};

export const hugePageSize: Rule = {
  code: 'hugepage-size',
  severity: 'warn',
  why: 'with 2 MiB pages a guest of some GiB has more entries than the TLB holds, and each miss walks two tables; 1 GiB pages have fewer',
  source: 'linux: Documentation/admin-guide/mm/hugetlbpage.rst; dpdk: doc/guides/linux_gsg/sys_reqs.rst',
  judge(host, { facts }) {
    const used = facts ? hugeMemory(host, facts.pid) : [];
    if (!facts || used.length === 0) return [];
    const small = used.filter(({ page }) => page < gib).reduce((sum, { kib }) => sum + kib, 0);
    if (small < gib)
      return [wellRead(`${facts.name} has ${used.map(({ page }) => size(page)).join(', ')} pages`)];
    return [
      {
        read: `${small >> 10} MiB of ${facts.name}'s memory is on 2 MiB pages`,
        cure: `Boot with hugepagesz=1G hugepages=${Math.ceil(small / gib)} (or more, for other guests), and <memoryBacking><hugepages><page size="1" unit="GiB"/></hugepages></memoryBacking> in the domain.`,
        undo: 'Take <page/> and the boot parameters out again.',
      },
    ];
  },
};

/** Where no domain is named: whether one could get pages beside its NIC. */
export const hugePagePools: Rule = {
  code: 'hugepage-pools',
  severity: 'warn',
  why: 'huge pages are set aside on each node apart: a domain that wants them beside its NIC gets none of another node',
  source: 'linux: Documentation/admin-guide/mm/hugetlbpage.rst (per-node pools)',
  judge(host, { facts, nics }) {
    if (facts) return [];
    const nodes = [...new Set(nics.map(({ address }) => nodeOf(host, address)))].filter(
      (node) => node >= 0 && host.names(`/sys/devices/system/node/node${node}/hugepages`).length > 0,
    );
    return nodes.map((node) => {
      const pages = [gib, 2048].map((page) => ({
        page,
        all: pool(host, node, page, 'nr'),
        free: pool(host, node, page, 'free'),
      }));
      const there = pages.filter(({ all }) => all > 0);
      if (there.length > 0)
        return wellRead(
          `node ${node}: ${there.map(({ page, all, free }) => `${all} pages of ${size(page)}, ${free} free`).join('; ')}`,
        );
      return {
        read: `node ${node}, where a NIC is, has no huge pages`,
        cure: `Boot with hugepagesz=1G hugepages=${node}:8 (as many GiB as its guests take).`,
        undo: `Boot without hugepages=${node}:8.`,
      };
    });
  },
};
