/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCALL_HOTPLUG_H
#define VMCALL_HOTPLUG_H

int hotplug_register(void);
void hotplug_unregister(void);

#endif /* VMCALL_HOTPLUG_H */
