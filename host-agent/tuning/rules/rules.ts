// SPDX-License-Identifier: Apache-2.0
import { energyPreference, frequencyGovernor, utilisationClamp } from './frequency.js';
import { hugePagePools, hugePageSize, memoryNode } from './guest-memory.js';
import { idleGovernor } from './idle-governor.js';
import { rcuExpedited, rcuThreads, timerMigration, vmstatInterval } from './kernel-work.js';
import { lockdown } from './lockdown.js';
import { softwareModeration } from './moderation.js';
import { kernelSource, livepatch, loadedModules, moduleSignature, nextKernelModules } from './modules.js';
import { crioPods, novaPower } from './orchestrators.js';
import type { Rule } from './rule.js';
import { tscFlags, tscUnstable } from './tsc.js';
import { programVersions } from './versions.js';
import { apicv, avicOnRt, postedInterrupts, postedMsi } from './virtual-interrupts.js';
import { nmiWatchdog, watchdogMask } from './watchdogs.js';
import { workqueueMask } from './workqueues.js';

/** What a real-time engineer looks at first, in the order in which it is reported. */
export const rules: readonly Rule[] = [
  loadedModules,
  nextKernelModules,
  kernelSource,
  livepatch,
  moduleSignature,
  lockdown,
  programVersions,
  idleGovernor,
  frequencyGovernor,
  energyPreference,
  utilisationClamp,
  nmiWatchdog,
  watchdogMask,
  workqueueMask,
  vmstatInterval,
  timerMigration,
  rcuExpedited,
  rcuThreads,
  tscFlags,
  tscUnstable,
  apicv,
  postedInterrupts,
  postedMsi,
  avicOnRt,
  softwareModeration,
  memoryNode,
  hugePageSize,
  hugePagePools,
  novaPower,
  crioPods,
];
