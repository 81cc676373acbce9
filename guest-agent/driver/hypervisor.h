/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCALL_HYPERVISOR_H
#define VMCALL_HYPERVISOR_H

#include <linux/types.h>

bool hypervisor_is_kvm(void);

/* Does KVM announce this feature, a KVM_FEATURE_* number? */
bool hypervisor_has(unsigned int feature);

#endif /* VMCALL_HYPERVISOR_H */
