// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../../host/host.js';
import { type Rule, wellRead } from './rule.js';

/** The modules that the series changes, by the kernel's own names. */
const changed = ['kvm', 'kvm_amd', 'kvm_intel', 'irqbypass', 'vfio_pci_core', 'vfio_pci'];
const seriesParameter = '/sys/module/kvm/parameters/irqfd_hardirq_max';
/** Where the package's DKMS build notes which version of the kernel's source it was made from, a file a kernel. */
const builtFrom = '/var/lib/vmcall-kvm';

const runningKernel = (host: Host) => host.read('/proc/sys/kernel/osrelease');

/** The file that modprobe takes (linux: modules.dep(5)), as an absolute path. */
function moduleFile(host: Host, kernel: string, name: string): string | null {
  const folder = `/lib/modules/${kernel}`;
  const index = host.read(`${folder}/modules.dep`) ?? '';
  const path = new RegExp(`^(\\S*/${name.replaceAll('_', '[-_]')}\\.ko(?:\\.\\w+)?):`, 'm').exec(index)?.[1];
  return path === undefined ? null : `${folder}/${path}`;
}

/** Below `updates/` is what an administrator or DKMS put there; the kernel's own are below `kernel/`. */
const isOurs = (file: string) => /^\/lib\/modules\/[^/]+\/(?:updates|extra)\//.test(file);

/** What the next boot takes: Debian's link, else the newest kernel of the same flavour. */
function nextKernel(host: Host): string | null {
  const named = /vmlinuz-(.+)$/.exec(host.link('/vmlinuz') ?? '')?.[1];
  if (named !== undefined) return named;
  const flavour = /-rt-\w+$/.exec(runningKernel(host) ?? '')?.[0];
  const same = host.names('/lib/modules').filter((name) => flavour !== undefined && name.endsWith(flavour));
  return same.at(-1) ?? null;
}

export const loadedModules: Rule = {
  code: 'kvm-loaded',
  severity: 'fail',
  why: 'a module stays as it was loaded until no VM runs and it is loaded anew: an update is on the disk, not in force',
  source: 'linux: scripts/Makefile.modfinal (build id); man modprobe(8)',
  judge(host) {
    const kernel = runningKernel(host);
    if (kernel === null) return [];
    return changed.flatMap((name) => {
      const note = host.readBytes(`/sys/module/${name}/notes/.note.gnu.build-id`, 64);
      const file = moduleFile(host, kernel, name);
      const onDisk = note === null || file === null ? null : host.moduleBytes(file);
      if (note === null || onDisk === null || onDisk.includes(note)) return [];
      return [
        {
          read: `${name} as loaded is not ${file}: their build ids differ`,
          cure: 'reboot',
          undo: 'None is needed.',
        },
      ];
    });
  },
};

export const nextKernelModules: Rule = {
  code: 'next-kernel',
  severity: 'warn',
  why: 'a kernel without our modules boots with the distribution’s, and every domain is back on injected interrupts',
  source: 'man dkms(8); docs/upgrade.md',
  judge(host) {
    const next = nextKernel(host);
    if (next === null || !host.exists(seriesParameter)) return [];
    const lacking = changed.filter((name) => !isOurs(moduleFile(host, next, name) ?? ''));
    if (lacking.length === 0) return [wellRead(`the next boot is ${next}, which has our modules`)];
    return [
      {
        read: `the next boot is ${next}, whose ${lacking.join(', ')} is not ours`,
        cure: `apt-get install linux-headers-${next} && dkms autoinstall -k ${next} && dkms status -k ${next}`,
        undo: `dkms unbuild vmcall-kvm --all -k ${next}`,
      },
    ];
  },
};

export const kernelSource: Rule = {
  code: 'kvm-source',
  severity: 'warn',
  why: 'the distribution mended its KVM in this kernel after ours was built from the source before',
  source: 'packaging/dkms/build-for-kernel; Debian: linux-image-*, security updates',
  judge(host) {
    const kernel = runningKernel(host);
    const ours = kernel === null ? null : host.read(`${builtFrom}/${kernel}`);
    const installed = kernel === null ? null : packageVersion(host, `linux-headers-${kernel}`);
    if (ours === null || installed === null) return [];
    if (ours === installed) return [wellRead(`our modules are built from the kernel’s source ${ours}`)];
    return [
      {
        read: `our modules are built from the kernel’s source ${ours}, the kernel that is installed is ${installed}`,
        cure: `apt-get install linux-source-${kernel?.split('.').slice(0, 2).join('.')}=${installed} && reboot`,
        undo: 'None is needed.',
      },
    ];
  },
};

export const livepatch: Rule = {
  code: 'livepatch',
  severity: 'fail',
  why: 'a livepatch was made for the distribution’s module: of ours it replaces functions by those without the series, or is refused',
  source: 'linux: Documentation/livepatch/livepatch.rst; Documentation/ABI/testing/sysfs-kernel-livepatch',
  judge(host) {
    const home = '/sys/kernel/livepatch';
    return host.names(home).flatMap((patch) => {
      const objects = host.names(`${home}/${patch}`).filter((name) => changed.includes(name));
      if (objects.length === 0) return [];
      return [
        {
          read: `livepatch ${patch} changes ${objects.join(', ')}`,
          cure: `echo 0 > ${home}/${patch}/enabled`,
          undo: `echo 1 > ${home}/${patch}/enabled`,
        },
      ];
    });
  },
};

export const moduleSignature: Rule = {
  code: 'module-signature',
  severity: 'warn',
  why: 'with Secure Boot, or lockdown=integrity, the kernel loads no module whose key it does not know: after such a boot KVM is the distribution’s, or absent',
  source:
    'linux: kernel/module/signing.c; Documentation/admin-guide/module-signing.rst, tainted-kernels.rst (E)',
  judge(host) {
    const taint = host.read('/sys/module/kvm/taint');
    if (taint === null || !host.exists(seriesParameter)) return [];
    if (!taint.includes('E')) return [wellRead('kvm is signed by a key that the kernel knows')];
    return [
      {
        read: 'kvm is not signed by a key that the kernel knows (/sys/module/kvm/taint has E)',
        cure: 'mokutil --import /var/lib/dkms/mok.pub && reboot',
        undo: 'mokutil --delete /var/lib/dkms/mok.pub && reboot',
      },
    ];
  },
};

/** Of an installed Debian package (dpkg: /var/lib/dpkg/status), its source's where that is another. */
function packageVersion(host: Host, name: string): string | null {
  const status = host.read('/var/lib/dpkg/status') ?? '';
  const at = status.indexOf(`Package: ${name}\n`);
  if (at < 0) return null;
  const paragraph = status.slice(at, status.indexOf('\n\n', at) >>> 0);
  if (!/^Status: install ok installed$/m.test(paragraph)) return null;
  const source = /^Source: \S+ \((.+)\)$/m.exec(paragraph)?.[1];
  return source ?? /^Version: (.+)$/m.exec(paragraph)?.[1] ?? null;
}
