// SPDX-License-Identifier: Apache-2.0
#ifndef VMCALL_DOMAIN_H
#define VMCALL_DOMAIN_H

#include <napi.h>

#include <memory>

#include "environment.h"
#include "handles.h"
#include "session.h"

/** The JavaScript object of a domain; what its methods do is documented in domain.ts. */
class Domain : public Napi::ObjectWrap<Domain> {
 public:
  static Napi::Function Define(Napi::Env env);
  /** Throws if the session has been closed meanwhile. */
  static Napi::Object Create(Napi::Env env, const std::shared_ptr<Session>& session,
                             std::shared_ptr<DomainHandle> handle);

  explicit Domain(const Napi::CallbackInfo& info);
  ~Domain() override;

  /** Every later call is refused; those under way go on. */
  void Release() { handle_.reset(); }

 private:
  Napi::Value Close(const Napi::CallbackInfo& info);
  Napi::Value State(const Napi::CallbackInfo& info);
  Napi::Value Xml(const Napi::CallbackInfo& info);
  Napi::Value Metadata(const Napi::CallbackInfo& info);
  Napi::Value SetMetadata(const Napi::CallbackInfo& info);
  Napi::Value AttachDevice(const Napi::CallbackInfo& info);
  Napi::Value DetachDevice(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  template <int (*operation)(virDomainPtr)>
  Napi::Value Operate(const Napi::CallbackInfo& info);

  // domain_cpu.cc
  Napi::Value Vcpus(const Napi::CallbackInfo& info);
  Napi::Value VcpuPins(const Napi::CallbackInfo& info);
  Napi::Value PinVcpu(const Napi::CallbackInfo& info);
  Napi::Value EmulatorPin(const Napi::CallbackInfo& info);
  Napi::Value PinEmulator(const Napi::CallbackInfo& info);
  Napi::Value SchedulerParameters(const Napi::CallbackInfo& info);
  Napi::Value SetSchedulerParameters(const Napi::CallbackInfo& info);

  /** Runs `call(const DomainHandle&)`, which gives a ToJs, in the executor. Throws once it is closed. */
  template <typename Call>
  Napi::Value Start(const Napi::CallbackInfo& info, Call call) {
    return Environment::Of(info.Env())
        .Start(info.Env(), [handle = Use(info.Env()), call = std::move(call)] { return call(*handle); });
  }
  std::shared_ptr<DomainHandle> Use(Napi::Env env) const;

  std::shared_ptr<Session> session_;
  std::shared_ptr<DomainHandle> handle_;
};

/** The answer of a call that has none. */
inline Napi::Value Nothing(Napi::Env env) { return env.Undefined(); }

#endif
