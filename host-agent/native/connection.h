// SPDX-License-Identifier: Apache-2.0
#ifndef VMCALL_CONNECTION_H
#define VMCALL_CONNECTION_H

#include <napi.h>

#include <memory>

#include "handles.h"
#include "session.h"

/** The JavaScript object of a connection; what its methods do is documented in connection.ts. */
class Connection : public Napi::ObjectWrap<Connection> {
 public:
  static Napi::Function Define(Napi::Env env);
  /** `open(uri, readOnly, listener or null)`: a promise of a Connection. */
  static Napi::Value Open(const Napi::CallbackInfo& info);

  explicit Connection(const Napi::CallbackInfo& info);

 private:
  Napi::Value Close(const Napi::CallbackInfo& info);
  Napi::Value Capabilities(const Napi::CallbackInfo& info);
  Napi::Value Domains(const Napi::CallbackInfo& info);
  Napi::Value DomainByName(const Napi::CallbackInfo& info);
  Napi::Value DomainById(const Napi::CallbackInfo& info);
  Napi::Value DomainByUuid(const Napi::CallbackInfo& info);
  Napi::Value DefineDomain(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);

  /** The open connection, or throws. */
  std::shared_ptr<ConnectionHandle> Use(Napi::Env env) const;
  /** A promise of the Domain that `get(virConnectPtr)` gives. */
  template <typename Get>
  Napi::Value GetDomain(Napi::Env env, Get get);

  std::shared_ptr<Session> session_;
};

#endif
