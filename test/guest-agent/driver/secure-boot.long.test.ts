// SPDX-License-Identifier: Apache-2.0
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { ensureDebianPackages } from '../../../src/setup/debian-packages.js';
import { buildGuestDriver } from '../../../src/setup/guest-driver.js';
import { buildInitramfs } from '../../../src/setup/initramfs.js';
import {
  defaultKernelSeries,
  type KernelPackages,
  kernelPackages,
} from '../../../src/setup/kernel-packages.js';
import { projectRoot } from '../../../src/support/paths.js';
import { stderrProgress } from '../../../src/support/progress.js';

const minutes = 60_000;
/** Debian's ovmf: the firmware with Secure Boot, and its variables without any key. */
const firmware = '/usr/share/OVMF';
/** Linux: Documentation/admin-guide/tainted-kernels.rst. Any module that is not of the kernel's own tree has this one. */
const outOfTree = 1 << 12;
/** Attributes of the variables, little-endian: kept, for boot and run time, written with a proof by time. */
const attributes = Buffer.from([0x27, 0, 0, 0]);
/** Who enrols the keys: any. */
const owner = '3f1c58c5-6d3c-4a6f-9f0e-6e3a2f4b7d10';

/** One key for all: firmware, kernel and module. On a machine the firmware has its maker's, and shim the owner's. */
async function makeKeys(folder: string): Promise<{ key: string; certificate: string; der: string }> {
  const [key, certificate, der] = ['key.pem', 'certificate.pem', 'certificate.der'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const words = ['req', '-new', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=vmcall test/'];
  await execa('openssl', [...words, '-keyout', key, '-out', certificate]);
  await execa('openssl', ['x509', '-in', certificate, '-outform', 'DER', '-out', der]);
  await execa('cert-to-efi-sig-list', ['-g', owner, certificate, join(folder, 'list')]);
  await mkdir(join(folder, 'keys'));
  for (const name of ['PK', 'KEK', 'db']) {
    const file = join(folder, 'keys', name);
    await execa('sign-efi-sig-list', ['-k', key, '-c', certificate, name, join(folder, 'list'), file]);
    await writeFile(file, Buffer.concat([attributes, await readFile(file)]));
  }
  return { key, certificate, der };
}

/** Boots it twice. @returns what its init found */
async function boot(folder: string, kernel: string): Promise<Map<string, string>> {
  const variables = join(folder, 'variables.fd');
  await copyFile(join(firmware, 'OVMF_VARS_4M.fd'), variables);
  const console = join(folder, 'console.log');
  await execa(
    'qemu-system-x86_64',
    [
      // Emulated, on machines with KVM, too: the firmware's variables need SMM.
      ...['-accel', 'tcg', '-machine', 'q35,smm=on', '-cpu', 'max', '-smp', '2', '-m', '768'],
      ...['-nodefaults', '-no-user-config', '-display', 'none', '-serial', `file:${console}`],
      ...['-global', 'driver=cfi.pflash01,property=secure,value=on'],
      '-drive',
      `if=pflash,unit=0,format=raw,readonly=on,file=${join(firmware, 'OVMF_CODE_4M.secboot.fd')}`,
      ...['-drive', `if=pflash,unit=1,format=raw,file=${variables}`],
      ...['-kernel', kernel, '-initrd', join(folder, 'initramfs')],
      // PREEMPT_RT leaves the firmware's services alone unless told.
      ...['-append', 'console=ttyS0 panic=-1 loglevel=4 efi=runtime'],
    ],
    { timeout: 15 * minutes },
  );
  const text = await readFile(console, 'latin1');
  return new Map(
    [...text.matchAll(/^found (\w+) (.*?)\r?$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}

async function signedDriver(kernel: KernelPackages, folder: string): Promise<Map<string, string>> {
  const { key, certificate, der } = await makeKeys(folder);
  const driver = await buildGuestDriver(kernel, stderrProgress());
  const [abi = ''] = kernel.release.split('-rt-');
  const signFile = join(kernel.root, 'usr', 'lib', `linux-kbuild-${abi}`, 'scripts', 'sign-file');
  const signed = join(folder, 'signed.ko');
  await copyFile(driver.vmcall, signed);
  await execa(signFile, ['sha256', key, der, signed]);
  const image = join(folder, 'vmlinuz');
  await execa('sbsign', ['--key', key, '--cert', certificate, '--output', image, kernel.vmlinuz]);
  const staging = join(folder, 'staging');
  await mkdir(staging);
  await buildInitramfs(
    {
      init: join(projectRoot, 'test', 'guest-agent', 'driver', 'secure-boot-init.sh'),
      modules: kernel.modules,
      insert: [{ name: 'efivarfs' }],
      replacements: new Map(),
      files: new Map([
        ...['PK', 'KEK', 'db'].map((name) => [`keys/${name}`, join(folder, 'keys', name)] as const),
        ['driver/signed.ko', signed],
        ['driver/unsigned.ko', driver.vmcall],
        ['bin/vmcall-claim', driver.programs.claim],
      ]),
    },
    staging,
    join(folder, 'initramfs'),
  );
  return boot(folder, image);
}

describe('the guest driver with Secure Boot', () => {
  let found: Map<string, string>;

  beforeAll(async () => {
    const progress = stderrProgress();
    await ensureDebianPackages(progress, true, 'secureBoot');
    const folder = await mkdtemp(join(tmpdir(), 'vmcall-secure-boot-'));
    found = await signedDriver(await kernelPackages(defaultKernelSeries, progress), folder);
    await rm(folder, { recursive: true, force: true });
  }, 20 * minutes);

  test('is refused as it is built, as any unsigned module is: the kernel is locked down', () => {
    expect(found.get('lockdown')).toContain('[integrity]');
    expect(found.get('unsigned')).not.toBe('0');
    expect(found.get('taintedByRefusal')).toBe('0');
  });

  test('is taken when it is signed, with no taint but that of a module out of the tree', () => {
    expect(found.get('signed')).toBe('0');
    expect(found.get('taintedBefore')).toBe('0');
    expect(Number(found.get('tainted'))).toBe(outOfTree);
  });

  test('refuses at once where there is no KVM below', () => {
    expect(found.get('claim')).toBe('refused EOPNOTSUPP 1');
  });
});
