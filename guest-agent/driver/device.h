/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCALL_DEVICE_H
#define VMCALL_DEVICE_H

int vmcall_device_register(void);
void vmcall_device_unregister(void);

#endif /* VMCALL_DEVICE_H */
