/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel has these types; vcpu_yield.h asks for them by user space's name. */
#include <linux/types.h>
