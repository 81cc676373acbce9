// SPDX-License-Identifier: Apache-2.0
#include "mailbox.h"

namespace {

/** Events that may wait for the JavaScript thread, of all its connections together. */
constexpr size_t kMaxEvents = 1024;

}  // namespace

Mailbox::Mailbox(Napi::Env env, Recipient* recipient)
    : wake_(Wake::New(env, "vmcall libvirt", 0, 1, recipient)) {
  wake_.Unref(env);
}

void Mailbox::Settle(uint64_t call, Outcome outcome) {
  std::unique_lock lock(mutex_);
  if (open_) Put(Settled{call, std::move(outcome)});
}

void Mailbox::Notify(uint64_t listener, ToJs value) {
  std::unique_lock lock(mutex_);
  if (!open_) return;
  if (events_ == kMaxEvents) {
    ++contents_.lost[listener];
    return;
  }
  ++events_;
  Put(Event{listener, std::move(value)});
}

void Mailbox::Put(std::variant<Settled, Event> letter) {
  contents_.letters.push_back(std::move(letter));
  // Under the lock, so that it cannot be after Close(): Node frees the function with the environment.
  if (!woken_) woken_ = wake_.NonBlockingCall() == napi_ok;
}

Mailbox::Contents Mailbox::Collect() {
  std::unique_lock lock(mutex_);
  woken_ = false;
  events_ = 0;
  return std::exchange(contents_, {});
}

void Mailbox::KeepLoopAlive(Napi::Env env, bool keep) {
  if (keep)
    wake_.Ref(env);
  else
    wake_.Unref(env);
}

void Mailbox::Close() {
  Contents dropped;
  std::unique_lock lock(mutex_);
  open_ = false;
  dropped = std::exchange(contents_, {});
  wake_.Release();
}

void Mailbox::OnWake(Napi::Env env, Napi::Function, Recipient* recipient, void*) {
  // A null environment: Node ends, and with it this function.
  if (env != nullptr) recipient->Deliver(env);
}
