// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

export const pciAddressSchema = z
  .string()
  // A domain behind VMD or Hyper-V has five digits and more (linux: drivers/pci/controller/vmd.c: from 10000 on).
  .regex(/^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/, 'a PCI address is written 0000:81:00.0');

export const isPciAddress = (text: string) => pciAddressSchema.safeParse(text).success;
