// SPDX-License-Identifier: Apache-2.0
import { existsSync, lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { execa } from 'execa';
import { cached } from '../support/cache.js';
import { libvirtAddon } from '../support/paths.js';
import type { Artifacts } from './artifacts.js';
import { here } from './build.js';
import { programPath } from './program-path.js';
import { qemuFiles } from './qemu-files.js';

/** Some 270 MB each, and of no use once a host has unpacked it. */
const keep = { versions: 3, others: 3_600_000 };

/** What runs in the emulated host and, over nested 9p, in its guest: programs of this machine's own. */
const programs = [
  ...['sh', 'busybox', 'cat', 'chrt', 'date', 'dmesg', 'ip', 'mount', 'openssl', 'taskset', 'umount'],
  ...['libvirtd', 'pkg-config'],
];

/** Files and folders that they read; what a machine has not, it does not need. */
const data = [
  // By its name in scripts, with the link that /bin is: PATH may lead past it.
  '/bin/sh',
  // Without either, libvirtd of 11.3 does not start.
  ...['/usr/sbin/nft', '/usr/sbin/iptables'],
  ...['passwd', 'group', 'nsswitch.conf', 'hosts', 'host.conf', 'protocols', 'services', 'localtime'].map(
    (name) => `/etc/${name}`,
  ),
  ...['/etc/ld.so.cache', '/etc/iproute2', '/etc/ssl/openssl.cnf', '/usr/lib/ssl/openssl.cnf'],
  ...['/usr/share/libvirt', '/usr/lib/libvirt'],
  ...['/usr/lib/x86_64-linux-gnu/libvirt', '/usr/lib/x86_64-linux-gnu/pkgconfig', '/usr/share/pkgconfig'],
  // Debian's Node.js has some of its own modules outside.
  ...['acorn', 'acorn-walk', 'cjs-module-lexer', 'minimatch', 'undici'].map(
    (name) => `/usr/share/nodejs/${name}`,
  ),
];

/**
 * An archive (newc) of all that the emulated host needs of this machine's root, to be unpacked into its memory: a host
 * that has a 9p file system mounted cannot be saved.
 */
export async function hostRoot(artifacts: Artifacts): Promise<string> {
  const paths = await pathsOf([
    ...programs.map(programPath),
    process.execPath,
    ...data.filter((path) => existsSync(path)),
    ...qemuFiles(),
    ...ofTheProject(artifacts),
  ]);
  const files = paths.filter((path) => lstatSync(path).isFile());
  const ingredients = { files, values: paths.map(withTarget) };
  const archive = async (target: string) => {
    const list = paths.map((path) => `.${path}\0`).join('');
    await execa('sh', ['-c', 'cpio --quiet --null -o -H newc -R 0:0 > "$OUTPUT"'], {
      cwd: '/',
      input: list,
      env: { OUTPUT: join(target, 'root.cpio') },
    });
  };
  const folder = await cached('host-root', ingredients, archive, keep);
  return join(folder, 'root.cpio');
}

/** A path, and where it leads if it is a symbolic link. */
const withTarget = (path: string) =>
  lstatSync(path).isSymbolicLink() ? `${path} -> ${readlinkSync(path)}` : path;

/** Where programs of ours look for it. */
function ofTheProject(artifacts: Artifacts): string[] {
  const { dataplane, generator, programs: bundle, kernel, guestInitramfs, turns } = artifacts;
  return [
    ...['package.json', 'kernel-patches/abi'].map((name) => here(name)),
    ...[
      libvirtAddon,
      dataplane,
      generator,
      bundle,
      kernel.vmlinuz,
      guestInitramfs,
      ...(turns ? [turns] : []),
    ],
  ];
}

/** All below `roots`, with the libraries that they need, the folders above, and what symbolic links lead to; sorted. */
async function pathsOf(roots: readonly string[]): Promise<string[]> {
  const paths = new Set<string>();
  const walked: string[] = [];
  const walk = (path: string) => {
    take(paths, path);
    const real = realpathSync(path);
    if (!lstatSync(real).isDirectory()) walked.push(real);
    else
      for (const name of readdirSync(real).filter((entry) => !entry.startsWith('.'))) walk(join(real, name));
  };
  for (const root of roots) walk(root);
  for (const library of await librariesOf(walked)) take(paths, library);
  return [...paths].sort();
}

/** Notes a path by its real folder, each link on the way to it, and where those lead. */
function take(paths: Set<string>, path: string): void {
  if (path === '/' || paths.has(path)) return;
  take(paths, dirname(path));
  const real = join(realpathSync(dirname(path)), basename(path));
  if (real !== path) {
    take(paths, real);
    return;
  }
  paths.add(path);
  if (lstatSync(path).isSymbolicLink()) take(paths, resolve(dirname(path), readlinkSync(path)));
}

/** As the dynamic linker finds them; a file that is no dynamic program has none. */
async function librariesOf(files: readonly string[]): Promise<Set<string>> {
  const { stdout } = await execa('ldd', [...files], { reject: false, env: { LC_ALL: 'C' } });
  return new Set([...stdout.matchAll(/^\s+(?:\S+ => )?(\/\S+) \(0x/gm)].map(([, path = '']) => path));
}
