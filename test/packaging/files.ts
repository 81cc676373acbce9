// SPDX-License-Identifier: Apache-2.0
import { expect } from 'vitest';
import type { Containers, Side } from './containers.js';

/** What any package leaves, and what a running system writes by itself. */
const others =
  '^/(proc|sys|dev|run|tmp|srv|root/.ansible|var/(log|cache|tmp|lib/(apt|dpkg|systemd|private|dbus|libvirt)|backups))(?:/|$)|/__pycache__|^/etc/(ld.so.cache|apt/sources|.*-$)|^/usr/share/applications/mimeinfo';

/** Each file of a container, with what it holds. */
export async function listFiles(containers: Containers, side: Side): Promise<Map<string, string>> {
  const command = `find / -xdev \\( -type f -o -type l -o -type d \\) -printf '%y %p\\n' | sort`;
  const { stdout, exitCode, all } = await containers.run(side, command);
  expect(exitCode, all.slice(-500)).toBe(0);
  const isOthers = new RegExp(others);
  const files = stdout
    .split('\n')
    .map((line) => [line.slice(2), line[0] ?? ''] as const)
    .filter(([path]) => !isOthers.test(path));
  const sums = await containers.run(
    side,
    `find /etc /usr/lib/systemd -xdev -type f | xargs -d '\\n' sha256sum`,
  );
  const contents = new Map(sums.stdout.split('\n').map((line) => [line.slice(66), line.slice(0, 64)]));
  return new Map(files.map(([path, type]) => [path, contents.get(path) ?? type]));
}
