// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Programs that cures begin with. */
const programs =
  /^(for|echo|dkms|sysctl|taskset|chrt|uclampset|modprobe|systemctl|apt-get|driverctl|virsh|vmcall|tuned-adm|journalctl|reboot|mokutil)\b/;

/** What a shell shall run of a cure or its undo; null where it is words alone. */
export function commandOf(text: string): string | null {
  if (programs.test(text)) return text;
  const last = text.split(': ').at(-1) ?? '';
  return last !== text && programs.test(last) ? last : null;
}

/** What a text must have so that a person can use it as it stands. @returns what it lacks */
export function lacks(text: string): string | null {
  if (
    /\b(LIST|OTHERS?|OTHER-CPUS|CPUS?=N|CPUS\b(?! [\d,-])|ADDRESS|DOMAIN|VCPU|IOTHREAD|VM-NAME)\b/.test(text)
  )
    return 'something to be filled in';
  const command = commandOf(text);
  if (command === null) {
    if (/^[a-z]/.test(text)) return 'a capital letter, or a program that is known';
    return /[.)]$|\n/.test(text) ? null : 'a full stop, or a command at its end';
  }
  if (/\.$/.test(command)) return 'an end of the command: a full stop is part of its last word';
  return isShell(command) ? null : 'a syntax that sh understands';
}

const known = new Map<string, boolean>();

/** Numbers aside, each command is asked of sh once. */
function isShell(command: string): boolean {
  const kind = command.replaceAll(/\d+/g, '0');
  const answer = known.get(kind) ?? spawnSync('sh', ['-n', '-c', command]).status === 0;
  known.set(kind, answer);
  return answer;
}

/** Stand-ins of tools that make system calls: they do the same to a tree. No other program is to be found by a cure. */
const stubs = join(import.meta.dirname, 'stubs');

/** Whether a command has nothing in it but a shell's own words and what has a stand-in. */
export const canRun = (command: string) =>
  !/\b(apt-get|dkms|driverctl|journalctl|mokutil|reboot|tuned-adm|uclampset|virsh|vmcall)\b/.test(
    command.split('  #')[0] ?? '',
  );

/** Runs a command on a tree of a host, and on nothing else. */
export function runOn(root: string, command: string): void {
  const there = command.replaceAll(/(?<=[\s'"]|^)\/(?=(proc|sys|etc|dev)\/)/g, `${root}/`);
  execFileSync('/bin/sh', ['-e', '-c', there], {
    env: { ROOT: root, PATH: stubs },
    stdio: 'pipe',
  });
}
