// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildContents, buildPackages } from '../../packaging/build/packages.js';
import { rootWith } from '../../packaging/build/roots.js';
import { supported } from '../../src/setup/supported.js';
import { stderrProgress } from '../../src/support/progress.js';
import { RootShell } from './root-shell.js';

const minutes = 60_000;
/** A program of somebody else's: DPDK without a port, and the first of our three lines. */
const program = `#include <stdio.h>
#include <rte_eal.h>
#include <libvmcall.h>
int main(int argc, char **argv)
{
	if (rte_eal_init(argc, argv) < 0)
		return 2;
	printf("vmcall_init %d\\\\n", vmcall_init(NULL));
	return rte_eal_cleanup();
}
`;
const eal = '--no-huge --no-pci --no-telemetry -m 64 -l 0';

describe.each(supported.distributions)('vmcall-dev on $codename', (distribution) => {
  let shell: RootShell;
  beforeAll(async () => {
    const progress = stderrProgress();
    const packages = await buildPackages(distribution, progress);
    shell = new RootShell(await rootWith('build', distribution, await buildContents(), progress), packages);
    await shell.run('dpkg -i /srv/vmcall-packages/libvmcall0_*.deb /srv/vmcall-packages/vmcall-dev_*.deb');
    await shell.run(`printf '${program}' >/root/program.c`);
  }, 20 * minutes);
  afterAll(() => shell?.end());

  test.each([
    ['shared', 'pkg-config --libs libvmcall libdpdk'],
    ['static', 'echo -l:libvmcall.a $(pkg-config --libs libdpdk)'],
  ])('a DPDK program builds with it, %s, and runs', { timeout: 5 * minutes }, async (kind, libraries) => {
    const flags = '$(pkg-config --cflags libvmcall libdpdk)';
    await shell.run(`cd /root && cc -o program-${kind} program.c ${flags} $(${libraries})`);
    const linked = await shell.run(`ldd /root/program-${kind}`);
    expect(linked.includes('libvmcall.so.0')).toBe(kind === 'shared');
    expect(await shell.run(`/root/program-${kind} ${eal}`)).toContain('vmcall_init 0');
  });

  test('a purge leaves nothing', async () => {
    await shell.run('dpkg --purge vmcall-dev libvmcall0');
    expect(await shell.run('find /usr -name "*libvmcall*" -o -name "vmcall-plugin.so"')).toBe('');
  });
});
