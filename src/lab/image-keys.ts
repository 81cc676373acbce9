// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { qemuFiles } from '../setup/qemu-files.js';
import { contentKey } from '../support/cache.js';
import type { LabStage } from './events.js';
import { findImage, type Image } from './images.js';

export type StageImage = Image & { stage: LabStage };
export type ImageKeys = Partial<Record<LabStage, string>>;

/** Of the NICs that L1 has. */
const optionRoms = '/usr/lib/ipxe/qemu';

/** All that goes into a machine until it waits for an order that makes it a run's own. */
export interface MachineIngredients {
  /** QEMU's words for it. */
  machine: readonly string[];
  /** Files of its kernel and initramfs, the modules and /init in that. */
  kernel: string;
  initramfs: string;
  /**
   * Of a host that stands: its first script, the archive of its root (a path that names its content: agents, libvirt,
   * dataplane, the guest's kernel and initramfs), and the order that it has carried out.
   */
  standing: { script: string; root: string; order: string } | undefined;
}

/** A key for each stage of which an image may be kept: another where anything is another that went into it. */
export async function imageKeys({
  machine,
  kernel,
  initramfs,
  standing,
}: MachineIngredients): Promise<ImageKeys> {
  const qemu = [...qemuFiles(), ...[optionRoms].filter((folder) => existsSync(folder))];
  const files = [...qemu, kernel, initramfs];
  const booted = await contentKey({ files, values: [...machine, ...qemu] });
  if (!standing) return { booted };
  const { script, root, order } = standing;
  return { booted, standing: await contentKey({ files: [], values: [booted, script, root, order] }) };
}

/** The image of the latest stage, if there is one. */
export async function newestImage(keys: ImageKeys): Promise<StageImage | undefined> {
  for (const stage of ['standing', 'booted'] as const) {
    const image = keys[stage] === undefined ? undefined : await findImage(keys[stage]);
    if (image) return { ...image, stage };
  }
  return undefined;
}
