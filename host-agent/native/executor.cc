// SPDX-License-Identifier: Apache-2.0
#include "executor.h"

#include <system_error>

#include "thread.h"

namespace {

/** Calls under way at once; libvirtd itself serves five of a client at a time (max_client_requests). */
constexpr size_t kMaxThreads = 16;

}  // namespace

Executor& Executor::Get() {
  // Never destroyed: its threads may be inside libvirt while exit() runs the static destructors.
  static Executor& executor = *new Executor;
  return executor;
}

void Executor::Post(std::function<void()> job) {
  std::lock_guard lock(mutex_);
  if (idle_ <= jobs_.size() && threads_ < kMaxThreads) {
    try {
      StartThread("vmcall-libvirt", [this] { Run(); });
      ++threads_;
    } catch (const std::system_error&) {
      if (threads_ == 0) throw;
    }
  }
  jobs_.push_back(std::move(job));
  work_.notify_one();
}

void Executor::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    work_.wait(lock, [this] { return !jobs_.empty(); });
    --idle_;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}
