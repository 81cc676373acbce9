// SPDX-License-Identifier: Apache-2.0
#ifndef VMCALL_EVENTS_H
#define VMCALL_EVENTS_H

/**
 * Makes libvirt ready in this process: its event loop, which connections find when they open, with one thread
 * that runs it until the process ends; and no errors printed on stderr. Throws Failure; after the first
 * success it does nothing.
 */
void InitializeLibvirt();

#endif
