// SPDX-License-Identifier: Apache-2.0
#ifndef VMCALL_THREAD_H
#define VMCALL_THREAD_H

#include <functional>

/**
 * Starts a detached thread with every signal blocked (signals are for Node's own threads), seen in `ps -L` as
 * `name`, 15 bytes at most. It lives until the process ends. Throws std::system_error if there can be none.
 */
void StartThread(const char* name, std::function<void()> body);

#endif
