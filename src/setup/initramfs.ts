// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import { VmcallError } from '../support/errors.js';

/** What goes into an initramfs: busybox, `/init`, kernel modules with what they depend on, and files. */
export interface InitramfsContents {
  /** The script that becomes `/init`. */
  init: string;
  /** `lib/modules/RELEASE` with depmod's index. */
  modules: string;
  /** Modules to insert, in this order, each after its dependencies; `parameters` as for insmod. */
  insert: readonly { name: string; parameters?: string }[];
  /** Own modules, inserted after those. */
  own?: readonly string[];
  /** Own builds that stand in for Debian's module of the same name. */
  replacements: ReadonlyMap<string, string>;
  /** Further files: path in the initramfs to path here. */
  files: ReadonlyMap<string, string>;
}

const busybox = '/bin/busybox';

/** Writes the newc archive `output`, using `staging` (an empty folder) on the way. */
export async function buildInitramfs(
  contents: InitramfsContents,
  staging: string,
  output: string,
): Promise<void> {
  for (const folder of ['bin', 'dev', 'proc', 'sys', 'run', 'root', 'modules'])
    await mkdir(join(staging, folder), { recursive: true });
  await place(busybox, join(staging, 'bin', 'busybox'));
  await symlink('busybox', join(staging, 'bin', 'sh'));
  await place(contents.init, join(staging, 'init'));
  for (const [path, source] of contents.files) await place(source, join(staging, path));
  await placeModules(contents, join(staging, 'modules'));
  await packFolder(staging, output);
}

/** Writes a folder as a newc archive, all of it root's. */
export async function packFolder(folder: string, output: string): Promise<void> {
  await execa(
    'sh',
    ['-c', 'find . -print0 | LC_ALL=C sort -z | cpio --quiet --null -o -H newc -R 0:0 > "$OUTPUT"'],
    {
      cwd: folder,
      env: { OUTPUT: output },
    },
  );
}

/** Copies a program into a folder that becomes an archive. */
export async function place(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await copyFile(source, target);
  await chmod(target, 0o755);
}

/** Decompressed modules and `order`, the list that /init feeds to insmod line by line. */
export async function placeModules(
  contents: Pick<InitramfsContents, 'modules' | 'insert' | 'own' | 'replacements'>,
  target: string,
): Promise<void> {
  const index = parseModulesDep(await readFile(join(contents.modules, 'modules.dep'), 'utf8'));
  const builtin = parseModulesBuiltin(await readFile(join(contents.modules, 'modules.builtin'), 'utf8'));
  const parameters = new Map(
    contents.insert.map(({ name, parameters }) => [moduleName(name), parameters ?? '']),
  );
  const lines: string[] = [];
  const wanted = [...parameters.keys()].filter((name) => !builtin.has(name));
  for (const path of insertionOrder(index, wanted)) {
    const name = moduleName(path);
    const file = `${name}.ko`;
    const replacement = contents.replacements.get(name);
    if (replacement) await copyFile(replacement, join(target, file));
    else await decompress(join(contents.modules, path), join(target, file));
    lines.push(`${file} ${parameters.get(name) ?? ''}`.trimEnd());
  }
  for (const module of contents.own ?? []) {
    await copyFile(module, join(target, basename(module)));
    lines.push(basename(module));
  }
  await writeFile(join(target, 'order'), `${lines.join('\n')}\n`);
}

async function decompress(source: string, target: string): Promise<void> {
  if (!source.endsWith('.xz')) return copyFile(source, target);
  await execa('sh', ['-c', 'xz -dc -- "$1" > "$2"', 'sh', source, target]);
}

/** The kernel's own spelling of a module's name: `kernel/…/vfio-pci.ko.xz` is `vfio_pci`. */
export function moduleName(path: string): string {
  return basename(path)
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_');
}

/** depmod's `modules.dep`: each module's path to the paths it needs. */
export function parseModulesDep(text: string): Map<string, string[]> {
  const index = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [path, needs] = line.split(':');
    if (path && needs !== undefined) index.set(path, needs.trim().split(/\s+/).filter(Boolean));
  }
  return index;
}

/** Names of what `modules.builtin` lists: modules of other configurations that this kernel has built in. */
export function parseModulesBuiltin(text: string): Set<string> {
  return new Set(text.split('\n').filter(Boolean).map(moduleName));
}

/** Paths of `names` and all they need, each after what it needs. */
export function insertionOrder(
  index: ReadonlyMap<string, readonly string[]>,
  names: readonly string[],
): string[] {
  const paths = new Map([...index.keys()].map((path) => [moduleName(path), path]));
  const order: string[] = [];
  const visit = (path: string) => {
    if (order.includes(path)) return;
    for (const need of index.get(path) ?? []) visit(need);
    if (!order.includes(path)) order.push(path);
  };
  for (const name of names) {
    const path = paths.get(moduleName(name));
    if (!path)
      throw new VmcallError(
        'LAB_MODULE_MISSING',
        `Debian's kernel has no module ${name}`,
        'Report this kernel version to the project',
      );
    visit(path);
  }
  return order;
}

/** Whether busybox's static build, of which every initramfs is made, is installed. */
export function busyboxPresent(): boolean {
  return existsSync(busybox);
}
