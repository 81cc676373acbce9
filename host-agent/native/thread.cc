// SPDX-License-Identifier: Apache-2.0
#include "thread.h"

#include <pthread.h>
#include <signal.h>

#include <thread>

namespace {

/** Blocks every signal; a thread started meanwhile inherits that. */
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

void StartThread(const char* name, std::function<void()> body) {
  SignalsBlocked blocked;
  std::thread([name, body = std::move(body)] {
    pthread_setname_np(pthread_self(), name);
    body();
  }).detach();
}
