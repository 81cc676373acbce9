/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCALL_POWER_H
#define VMCALL_POWER_H

int power_register(void);
void power_unregister(void);

#endif /* VMCALL_POWER_H */
