// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../../../host-agent/host/host.js';

export interface Tree {
  files?: Record<string, string>;
  links?: Record<string, string>;
  log?: string;
  /** What programs say to --version. */
  versions?: Record<string, string>;
}

/** A host of a few files, to be looked at alone. */
export function memoryHost({ files = {}, links = {}, log = '', versions = {} }: Tree): Host {
  const paths = [...Object.keys(files), ...Object.keys(links)];
  return {
    read: (path: string) => files[path] ?? null,
    readBytes: (path: string, length: number) => {
      const text = files[path];
      return text === undefined ? null : Buffer.from(text, 'latin1').subarray(0, length);
    },
    exists: (path: string) => paths.some((one) => one === path || one.startsWith(`${path}/`)),
    names: (path: string) => [
      ...new Set(
        paths
          .filter((one) => one.startsWith(`${path}/`))
          .map((one) => one.slice(path.length + 1).split('/')[0] ?? ''),
      ),
    ],
    link: (path: string) => links[path] ?? null,
    kernelLog: () => log,
    programVersion: (program: string) => versions[program] ?? null,
    moduleBytes: (path: string) => {
      const text = files[path];
      return text === undefined ? null : Buffer.from(text, 'latin1');
    },
  } as unknown as Host;
}
