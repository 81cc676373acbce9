// SPDX-License-Identifier: Apache-2.0
#ifndef VMCALL_MAILBOX_H
#define VMCALL_MAILBOX_H

#include <napi.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <variant>

#include "failure.h"

/** Turns plain data of another thread into a JavaScript value; runs in the environment's own thread. */
using ToJs = std::function<Napi::Value(Napi::Env)>;

/** How a call ended. */
using Outcome = std::variant<ToJs, Failure>;

/** Whoever a mailbox is emptied by. */
class Recipient {
 public:
  virtual ~Recipient() = default;
  /** In the environment's thread: something is in the mailbox. */
  virtual void Deliver(Napi::Env env) = 0;
};

/**
 * What other threads hand to one JavaScript environment (the main thread's or a worker's). It outlives the
 * environment: what comes after that is dropped.
 */
class Mailbox {
 public:
  struct Settled {
    uint64_t call;
    Outcome outcome;
  };
  struct Event {
    uint64_t listener;
    ToJs value;
  };
  struct Contents {
    /** In the order in which they came. */
    std::deque<std::variant<Settled, Event>> letters;
    /** Events dropped since the last collection, by listener: all of them later than those in `letters`. */
    std::unordered_map<uint64_t, uint64_t> lost;
  };

  /** The environment's thread; `recipient` is called at each arrival until Close(). */
  Mailbox(Napi::Env env, Recipient* recipient);

  /** Any thread: call number `call` has ended. */
  void Settle(uint64_t call, Outcome outcome);
  /** Any thread: an event for a listener; counted as lost if too many wait already. */
  void Notify(uint64_t listener, ToJs value);

  /** The environment's thread: takes what has come. */
  Contents Collect();
  /** The environment's thread: whether waiting for letters keeps Node's loop alive. At first it does not. */
  void KeepLoopAlive(Napi::Env env, bool keep);
  /** The environment's thread, before it ends: drops what has come and whatever will. */
  void Close();

 private:
  static void OnWake(Napi::Env env, Napi::Function callback, Recipient* recipient, void* data);
  using Wake = Napi::TypedThreadSafeFunction<Recipient, void, OnWake>;

  void Put(std::variant<Settled, Event> letter);

  std::mutex mutex_;
  Wake wake_;
  bool open_ = true;
  bool woken_ = false;
  size_t events_ = 0;
  Contents contents_;
};

#endif
