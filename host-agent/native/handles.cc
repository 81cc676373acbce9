// SPDX-License-Identifier: Apache-2.0
#include "handles.h"

#include "executor.h"

ConnectionHandle::~ConnectionHandle() {
  // Callbacks hold references to the connection; without this it would stay open.
  Unsubscribe();
  const bool closed = virConnectClose(connection_) >= 0;
  if (!on_closed) return;
  if (closed)
    on_closed([](Napi::Env env) -> Napi::Value { return env.Undefined(); });
  else
    on_closed(Failure::Last());
}

Identity Identity::Of(virDomainPtr domain) {
  char uuid[VIR_UUID_STRING_BUFLEN];
  Checked(virDomainGetUUIDString(domain, uuid));
  // An id of -1 says that the domain does not run, and is no failure.
  return {Checked(virDomainGetName(domain)), uuid, static_cast<int>(virDomainGetID(domain))};
}

void Identity::WriteTo(Napi::Object object) const {
  const Napi::Env env = object.Env();
  object.Set("name", name);
  object.Set("uuid", uuid);
  object.Set("id", id < 0 ? env.Null() : Napi::Number::New(env, id).As<Napi::Value>());
}

std::shared_ptr<DomainHandle> DomainHandle::Take(std::shared_ptr<ConnectionHandle> connection,
                                                 virDomainPtr domain) {
  std::unique_ptr<virDomain, decltype(&virDomainFree)> owned(domain, &virDomainFree);
  Identity identity = Identity::Of(domain);
  return ShareHandle(new DomainHandle(std::move(connection), owned.release(), std::move(identity)));
}
