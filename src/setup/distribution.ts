// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

/** What os-release(5) says of a system. */
export interface LinuxDistribution {
  /** `debian` */
  id: string;
  /** `13` */
  version: string;
  /** `trixie` */
  codename: string;
  /** For a person: `Debian 13`. */
  text: string;
}

/** Of this machine; empty fields where there is no such file. */
export function thisDistribution(file = '/etc/os-release'): LinuxDistribution {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // A system without it is none that is supported: the preflight says so.
  }
  const field = (name: string) => new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  const [id, version] = [field('ID'), field('VERSION_ID')];
  const name = field('NAME').replace(' GNU/Linux', '') || id || 'This system';
  return { id, version, codename: field('VERSION_CODENAME'), text: `${name} ${version}`.trim() };
}
