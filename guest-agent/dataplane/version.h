/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef VERSION_H
#define VERSION_H

#define VMCALL_DATAPLANE_VERSION "0.1.0"

/** A build made wrong on purpose says so, wherever it is asked. */
#if defined(VMCALL_FAULT_NO_REPOLL) && defined(VMCALL_FAULT_NO_LOOK)
#define VMCALL_DATAPLANE_FAULT "no-repoll-no-look"
#elif defined(VMCALL_FAULT_NO_LOOK)
#define VMCALL_DATAPLANE_FAULT "no-look"
#elif defined(VMCALL_FAULT_NO_REPOLL)
#define VMCALL_DATAPLANE_FAULT "no-repoll"
#else
#define VMCALL_DATAPLANE_FAULT "none"
#endif

#endif /* VERSION_H */
