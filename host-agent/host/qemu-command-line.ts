// SPDX-License-Identifier: Apache-2.0

/** What a QEMU's words say of its VM. */
export interface QemuCommandLine {
  /** `-name`; null without one. */
  name: string | null;
  uuid: string | null;
  /** Numbers by which its manager knows it while it runs: libvirt's id, Proxmox's VMID (`-id`). */
  ids: string[];
  /** What `-device vfio-pci` was given from the start: PCI addresses, and UUIDs of mediated devices. */
  vfio: string[];
}

/** Names of emulators as distributions have them; `qemu-img`, `qemu-nbd` and others run no VM. */
const emulator = /^\.?(qemu-system-[\w.+-]+|qemu-kvm[\w.+-]*|kvm|qemu)$/;

/** True for the path of a program that is a QEMU, also one that was updated meanwhile (`... (deleted)`). */
export function isEmulator(program: string): boolean {
  return emulator.test(
    program
      .replace(/ \(deleted\)$/, '')
      .split('/')
      .at(-1) ?? '',
  );
}

/** Values of an option, in order: `-name X` and `--name X`. */
function values(words: readonly string[], option: string): string[] {
  return words.flatMap((word, at) => {
    const value = words[at + 1];
    return (word === `-${option}` || word === `--${option}`) && value !== undefined ? [value] : [];
  });
}

/**
 * QEMU's `key=value,...`, in which a comma of a value is doubled (qemu: util/keyval.c, util/qemu-option.c). A first
 * part without a key is that of `implied`.
 */
function keyValues(text: string, implied: string): Map<string, string> {
  // No word of a command line has a zero byte.
  const parts = text.replaceAll(',,', '\0').split(',');
  return new Map(
    parts.map((part, at) => {
      const equals = part.indexOf('=');
      const [key, value] =
        equals >= 0
          ? [part.slice(0, equals), part.slice(equals + 1)]
          : at === 0
            ? [implied, part]
            : [part, 'on'];
      return [key, value.replaceAll('\0', ',')];
    }),
  );
}

function device(text: string): Map<string, string> {
  if (!text.startsWith('{')) return keyValues(text, 'driver');
  try {
    return new Map(Object.entries(JSON.parse(text)).map(([key, value]) => [key, String(value)]));
  } catch {
    return new Map();
  }
}

/** `81:00.0` and `0:81:0.0` are taken by QEMU too (qemu: hw/core/qdev-properties-system.c, PCI host address). */
function fullAddress(host: string): string | null {
  const match = /^(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-7])$/i.exec(host);
  if (!match) return null;
  const [, domain = '0', bus = '', slot = '', number] = match;
  return `${domain.padStart(4, '0')}:${bus.padStart(2, '0')}:${slot.padStart(2, '0')}.${number}`.toLowerCase();
}

function vfioOf(text: string): string[] {
  const properties = device(text);
  if (!/^vfio-pci(-nohotplug)?$/.test(properties.get('driver') ?? '')) return [];
  const path = properties.get('sysfsdev');
  const named = path === undefined ? fullAddress(properties.get('host') ?? '') : path.split('/').at(-1);
  return named ? [named.toLowerCase()] : [];
}

/** Reads `/proc/PID/cmdline`, split at its zero bytes. */
export function parseCommandLine(words: readonly string[]): QemuCommandLine {
  let name: string | null = null;
  for (const value of values(words, 'name')) name = keyValues(value, 'guest').get('guest') ?? name;
  const smbios = values(words, 'smbios').map((value) => keyValues(value, 'type'));
  const uuid =
    values(words, 'uuid').at(-1) ?? smbios.find((one) => one.get('type') === '1')?.get('uuid') ?? null;
  // libvirt's folder of a running domain (libvirt: virDomainDefGetShortName): domain-ID-NAME, NAME cut off.
  const folder = words.map((word) => /\/domain-(\d+)-/.exec(word)?.[1]).find((id) => id !== undefined);
  return {
    name: name || null,
    uuid: uuid?.toLowerCase() ?? null,
    ids: [...values(words, 'id'), ...(folder === undefined ? [] : [folder])],
    vfio: values(words, 'device').flatMap(vfioOf),
  };
}
