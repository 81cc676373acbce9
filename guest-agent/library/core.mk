# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) the vmcall authors
#
# What an lcore needs to wait: the library's core, which the dataplane is built
# with too.  The includer says where it is: LIBRARY = path of this folder.

CORE_SRC = failure.c control_thread.c \
	wait.c wait_poll.c wait_interrupt.c wait_pv_kick.c wait_vmcall.c \
	wake_reason.c kvm_guest.c vcpu_claim.c \
	pci_device.c driver_quirks.c nic_82574.c nic_82576vf.c rx_interrupt.c \
	rx_look.c doorbell.c rx_queue.c \
	hdr.c base64.c wake_stats.c wake_times.c wake_replies.c
CORE_LIBS = -lz
CORE_FOLDERS = $(LIBRARY) $(LIBRARY)/wait $(LIBRARY)/nic $(LIBRARY)/measure
CORE_CPPFLAGS = -D_GNU_SOURCE $(CORE_FOLDERS:%=-I%) \
	-I$(LIBRARY)/../../kernel-patches/abi -I$(LIBRARY)/../driver/uapi
vpath %.c $(CORE_FOLDERS)
