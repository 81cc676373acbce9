/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_KVM_H
#define PROBE_KVM_H

/** @file /dev/kvm, or why this machine has none that can be used. */

/** @return a descriptor; ends the program with EXIT_UNSUPPORTED and the reason. */
int kvm_open(void);

/** @return the descriptor of a new VM; ends the program likewise. */
int kvm_create_vm(int kvm);

#endif /* PROBE_KVM_H */
