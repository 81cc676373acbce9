// SPDX-License-Identifier: Apache-2.0
import { kernelSeriesHere } from '../../src/setup/kernel-packages.js';

/** The kernels that the lab's tests run on: those of this release, or others that are asked for (`VMCALL_KERNELS=7.3`). */
export const kernelsTested: readonly string[] = process.env.VMCALL_KERNELS?.split(' ') ?? kernelSeriesHere;
