// SPDX-License-Identifier: Apache-2.0
#ifndef VMCALL_ENVIRONMENT_H
#define VMCALL_ENVIRONMENT_H

#include <napi.h>

#include <functional>
#include <memory>
#include <unordered_map>

#include "mailbox.h"

/** What the addon holds for one JavaScript environment. Used in that environment's thread alone. */
class Environment : public Recipient {
 public:
  /** A libvirt call: runs in the executor, throws Failure. */
  using Work = std::function<ToJs()>;
  /** Settles a promise from any thread. */
  using Settle = std::function<void(Outcome)>;

  static void Install(Napi::Env env);
  static Environment& Of(Napi::Env env);

  /** Runs `work` in the executor; the promise keeps Node's loop alive. Throws if too many are under way. */
  Napi::Promise Start(Napi::Env env, Work work);
  /** A promise that `settle` settles, once; it keeps Node's loop alive until then. */
  Napi::Promise Promise(Napi::Env env, Settle& settle);

  /** The number by which events are sent to `listener` through the mailbox. */
  uint64_t AddListener(Napi::Function listener);
  /** Keeps `source` from being collected as long as the listener is there. */
  void KeepForListener(uint64_t listener, Napi::Object source);
  void RemoveListener(uint64_t listener) { listeners_.erase(listener); }

  /** Settles promises and calls listeners with what is in the mailbox. */
  void Deliver(Napi::Env env) override;

  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }

  Napi::FunctionReference connection_class;
  Napi::FunctionReference domain_class;

 private:
  struct Listener {
    Napi::FunctionReference function;
    Napi::ObjectReference source;
  };

  explicit Environment(Napi::Env env);
  void DeliverSettled(Napi::Env env, Mailbox::Settled& settled);
  void CallListener(Napi::Env env, uint64_t listener, const ToJs& value);

  std::shared_ptr<Mailbox> mailbox_;
  uint64_t next_id_ = 1;
  std::unordered_map<uint64_t, Napi::Promise::Deferred> calls_;
  std::unordered_map<uint64_t, Listener> listeners_;
};

#endif
