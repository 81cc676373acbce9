// SPDX-License-Identifier: Apache-2.0
#include <napi.h>

#include "connection.h"
#include "domain.h"
#include "environment.h"

namespace {

Napi::Object Install(Napi::Env env, Napi::Object exports) {
  Environment::Install(env);
  auto& environment = Environment::Of(env);
  environment.connection_class = Napi::Persistent(Connection::Define(env));
  environment.domain_class = Napi::Persistent(Domain::Define(env));
  exports.Set("open", Napi::Function::New<&Connection::Open>(env, "open"));
  return exports;
}

}  // namespace

NODE_API_MODULE(vmcall_libvirt, Install)
