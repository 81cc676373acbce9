// SPDX-License-Identifier: Apache-2.0
#ifndef VMCALL_HANDLES_H
#define VMCALL_HANDLES_H

#include <libvirt/libvirt.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mailbox.h"

struct Addressee;

// libvirt's objects, each owned by shared references (ShareHandle): of its JavaScript object until that is
// closed or collected, and of every call under way.

/** A connection. Made, used and deleted in the executor's threads: each may wait for libvirtd. */
class ConnectionHandle {
 public:
  explicit ConnectionHandle(virConnectPtr connection) : connection_(connection) {}
  ~ConnectionHandle();
  ConnectionHandle(const ConnectionHandle&) = delete;
  ConnectionHandle& operator=(const ConnectionHandle&) = delete;

  virConnectPtr get() const { return connection_; }

  /** Sends the events of the connection and of its domains to `listener`. Once at most. Throws Failure. */
  void Subscribe(const std::shared_ptr<Mailbox>& mailbox, uint64_t listener);

  /** Called with the result of the closing, when the last reference is gone. Set before that, by whoever holds one. */
  std::function<void(Outcome)> on_closed;

 private:
  void Unsubscribe();

  virConnectPtr connection_;
  std::vector<int> callbacks_;
  std::shared_ptr<Addressee> close_addressee_;
};

/** What a domain is known by; `id` is -1 unless it runs. */
struct Identity {
  std::string name;
  std::string uuid;
  int id;

  /** Reads the object alone, never asks libvirtd. Throws Failure. */
  static Identity Of(virDomainPtr domain);
  void WriteTo(Napi::Object object) const;
};

class DomainHandle {
 public:
  /** Takes over `domain`. Throws Failure. */
  static std::shared_ptr<DomainHandle> Take(std::shared_ptr<ConnectionHandle> connection,
                                            virDomainPtr domain);
  ~DomainHandle() { virDomainFree(domain_); }
  DomainHandle(const DomainHandle&) = delete;
  DomainHandle& operator=(const DomainHandle&) = delete;

  virDomainPtr get() const { return domain_; }
  virConnectPtr connection() const { return connection_->get(); }
  const Identity& identity() const { return identity_; }

 private:
  DomainHandle(std::shared_ptr<ConnectionHandle> connection, virDomainPtr domain, Identity identity)
      : connection_(std::move(connection)), domain_(domain), identity_(std::move(identity)) {}

  // The domain holds libvirt's own reference to the connection: released first.
  std::shared_ptr<ConnectionHandle> connection_;
  virDomainPtr domain_;
  Identity identity_;
};

#endif
