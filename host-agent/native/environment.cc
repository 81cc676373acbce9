// SPDX-License-Identifier: Apache-2.0
#include "environment.h"

#include <system_error>

#include "executor.h"

namespace {

/** Calls under way of one environment, waiting for a thread or for libvirt. */
constexpr size_t kMaxCalls = 1024;

Outcome RunWork(const Environment::Work& work) {
  try {
    return work();
  } catch (Failure& failure) {
    return std::move(failure);
  } catch (const std::exception& error) {
    return Failure::Internal(error.what());
  }
}

/** What a listener gets in place of events it lost. */
ToJs LostEvents(uint64_t count) {
  return [count](Napi::Env env) -> Napi::Value {
    auto event = Napi::Object::New(env);
    event.Set("type", "lost");
    event.Set("count", Napi::Number::New(env, static_cast<double>(count)));
    return event;
  };
}

}  // namespace

Environment::Environment(Napi::Env env) : mailbox_(std::make_shared<Mailbox>(env, this)) {
  // Hooks run in reverse order: this one before Node closes the thread-safe function made above.
  env.AddCleanupHook([mailbox = mailbox_.get()] { mailbox->Close(); });
}

void Environment::Install(Napi::Env env) { env.SetInstanceData(new Environment(env)); }

Environment& Environment::Of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

Napi::Promise Environment::Promise(Napi::Env env, Settle& settle) {
  const uint64_t call = next_id_++;
  const auto deferred = Napi::Promise::Deferred::New(env);
  if (calls_.empty()) mailbox_->KeepLoopAlive(env, true);
  calls_.emplace(call, deferred);
  settle = [mailbox = mailbox_, call](Outcome outcome) { mailbox->Settle(call, std::move(outcome)); };
  return deferred.Promise();
}

Napi::Promise Environment::Start(Napi::Env env, Work work) {
  if (calls_.size() >= kMaxCalls)
    throw OwnError(env, "LIBVIRT_TOO_MANY_CALLS", std::to_string(kMaxCalls) + " libvirt calls are under way");
  Settle settle;
  const Napi::Promise promise = Promise(env, settle);
  try {
    Executor::Get().Post([work = std::move(work), settle]() mutable {
      Outcome outcome = RunWork(work);
      // What the call held goes before its promise settles, so that a close() after it need not wait.
      work = nullptr;
      settle(std::move(outcome));
    });
  } catch (const std::system_error& error) {
    settle(Failure::Internal(std::string("no thread for a libvirt call: ") + error.what()));
  }
  return promise;
}

uint64_t Environment::AddListener(Napi::Function listener) {
  const uint64_t id = next_id_++;
  listeners_[id].function = Napi::Persistent(listener);
  return id;
}

void Environment::KeepForListener(uint64_t listener, Napi::Object source) {
  listeners_[listener].source = Napi::Persistent(source);
}

void Environment::Deliver(Napi::Env env) {
  auto contents = mailbox_->Collect();
  for (auto& letter : contents.letters) {
    Napi::HandleScope scope(env);
    if (auto* settled = std::get_if<Mailbox::Settled>(&letter))
      DeliverSettled(env, *settled);
    else if (const auto* event = std::get_if<Mailbox::Event>(&letter))
      CallListener(env, event->listener, event->value);
  }
  for (const auto& [listener, count] : contents.lost) {
    Napi::HandleScope scope(env);
    CallListener(env, listener, LostEvents(count));
  }
}

void Environment::DeliverSettled(Napi::Env env, Mailbox::Settled& settled) {
  const auto found = calls_.find(settled.call);
  if (found == calls_.end()) return;
  const auto deferred = found->second;
  calls_.erase(found);
  if (calls_.empty()) mailbox_->KeepLoopAlive(env, false);
  try {
    if (const auto* failure = std::get_if<Failure>(&settled.outcome))
      deferred.Reject(failure->ToError(env).Value());
    else
      deferred.Resolve(std::get<ToJs>(settled.outcome)(env));
  } catch (const Napi::Error& error) {
    deferred.Reject(error.Value());
  }
}

void Environment::CallListener(Napi::Env env, uint64_t listener, const ToJs& value) {
  const auto found = listeners_.find(listener);
  if (found == listeners_.end()) return;
  // Copied out: the listener may close its connection, and so remove itself, while it runs.
  const Napi::Function function = found->second.function.Value();
  try {
    function.Call({value(env)});
  } catch (const Napi::Error&) {
    // The TypeScript front calls the user's listener in a task of its own; what it throws is not seen here.
  }
}
