// SPDX-License-Identifier: Apache-2.0
#ifndef VMCALL_SESSION_H
#define VMCALL_SESSION_H

#include <memory>
#include <unordered_set>

#include "handles.h"

class Domain;

/** What a Connection and its Domains share, in the JavaScript thread. */
struct Session {
  /** Null once closed. */
  std::shared_ptr<ConnectionHandle> handle;
  /** Those not closed: closing the connection closes them. */
  std::unordered_set<Domain*> domains;
  /** 0: none. */
  uint64_t listener = 0;
};

#endif
