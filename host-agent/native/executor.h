// SPDX-License-Identifier: Apache-2.0
#ifndef VMCALL_EXECUTOR_H
#define VMCALL_EXECUTOR_H

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

/**
 * The threads in which libvirt is called, one set for the process. Not libuv's: a libvirtd that does not
 * answer would hold those, and with them file access, name look-ups and the process's own exit.
 */
class Executor {
 public:
  static Executor& Get();

  /** Runs `job`, which must not throw, in one of the threads. Throws std::system_error if there is none. */
  void Post(std::function<void()> job);

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<std::function<void()>> jobs_;
  size_t threads_ = 0;
  size_t idle_ = 0;
};

/**
 * Shares a libvirt object whose release may wait for libvirtd: wherever the last reference is dropped, it is
 * deleted in a thread of the executor.
 */
template <typename Handle>
std::shared_ptr<Handle> ShareHandle(Handle* handle) {
  return {handle, [](Handle* last) { Executor::Get().Post([last] { delete last; }); }};
}

#endif
