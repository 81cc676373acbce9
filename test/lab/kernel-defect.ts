// SPDX-License-Identifier: Apache-2.0

/** Lines of a kernel's log that no program of user space, and no device, may cause. */
export const kernelDefect =
  /WARNING:|BUG|Oops|Call Trace|Kernel panic|protection fault|stall|lockdep|corrupt|leak|suspicious|DEBUG_LOCKS|ODEBUG/i;
