// SPDX-License-Identifier: Apache-2.0
#include "connection.h"

#include "arguments.h"
#include "domain.h"
#include "environment.h"
#include "events.h"
#include "executor.h"
#include "stats.h"

namespace {

/** A libvirtd that answers nothing for 5 times 5 s is taken for dead, and each of its calls fails. */
constexpr int kKeepAliveInterval = 5;
constexpr unsigned int kKeepAliveCount = 5;

/** Set around the construction of a Connection, which JavaScript cannot do by itself. */
thread_local std::shared_ptr<Session> constructing;

ToJs OpenHandle(const std::string& uri, bool read_only, const std::shared_ptr<Mailbox>& mailbox,
                uint64_t listener) try {
  InitializeLibvirt();
  const auto handle = ShareHandle(new ConnectionHandle(
      Checked(read_only ? virConnectOpenReadOnly(uri.c_str()) : virConnectOpen(uri.c_str()))));
  // Drivers without a daemon refuse it, and need it as little.
  virConnectSetKeepAlive(handle->get(), kKeepAliveInterval, kKeepAliveCount);
  if (listener) handle->Subscribe(mailbox, listener);
  return [handle, listener](Napi::Env env) -> Napi::Value {
    constructing = std::make_shared<Session>();
    constructing->handle = handle;
    constructing->listener = listener;
    auto& environment = Environment::Of(env);
    const Napi::Object connection = environment.connection_class.New({});
    if (listener) environment.KeepForListener(listener, connection);
    return connection;
  };
} catch (const Failure& failure) {
  return [failure, listener](Napi::Env env) -> Napi::Value {
    Environment::Of(env).RemoveListener(listener);
    throw failure.ToError(env);
  };
}

}  // namespace

Napi::Function Connection::Define(Napi::Env env) {
  return DefineClass(env, "Connection",
                     {
                         InstanceMethod<&Connection::Close>("close"),
                         InstanceMethod<&Connection::Capabilities>("capabilities"),
                         InstanceMethod<&Connection::Domains>("domains"),
                         InstanceMethod<&Connection::DomainByName>("domainByName"),
                         InstanceMethod<&Connection::DomainById>("domainById"),
                         InstanceMethod<&Connection::DomainByUuid>("domainByUuid"),
                         InstanceMethod<&Connection::DefineDomain>("defineDomain"),
                         InstanceMethod<&Connection::Stats>("stats"),
                     });
}

Connection::Connection(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<Connection>(info), session_(std::move(constructing)) {
  if (!session_) throw Napi::TypeError::New(info.Env(), "a Connection comes from open()");
}

Napi::Value Connection::Open(const Napi::CallbackInfo& info) {
  std::string uri = TextArgument(info, 0, "uri", kMaxName);
  const bool read_only = BooleanArgument(info, 1, "readOnly");
  auto& environment = Environment::Of(info.Env());
  const uint64_t listener =
      info[2].IsNull() ? 0 : environment.AddListener(FunctionArgument(info, 2, "onEvent"));
  try {
    return environment.Start(info.Env(),
                             [uri = std::move(uri), read_only, mailbox = environment.mailbox(), listener] {
                               return OpenHandle(uri, read_only, mailbox, listener);
                             });
  } catch (const Napi::Error&) {
    environment.RemoveListener(listener);
    throw;
  }
}

std::shared_ptr<ConnectionHandle> Connection::Use(Napi::Env env) const {
  if (!session_->handle) throw OwnError(env, "LIBVIRT_CLOSED", "the connection is closed");
  return session_->handle;
}

Napi::Value Connection::Close(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!session_->handle) return env.Undefined();
  auto& environment = Environment::Of(env);
  Environment::Settle settle;
  const Napi::Promise promise = environment.Promise(env, settle);
  session_->handle->on_closed = std::move(settle);
  environment.RemoveListener(session_->listener);
  for (Domain* domain : std::exchange(session_->domains, {})) domain->Release();
  session_->handle.reset();
  return promise;
}

Napi::Value Connection::Capabilities(const Napi::CallbackInfo& info) {
  return Environment::Of(info.Env()).Start(info.Env(), [handle = Use(info.Env())]() -> ToJs {
    return [xml = TakeString(virConnectGetCapabilities(handle->get()))](Napi::Env env) -> Napi::Value {
      return Napi::String::New(env, xml);
    };
  });
}

Napi::Value Connection::Domains(const Napi::CallbackInfo& info) {
  return Environment::Of(info.Env())
      .Start(info.Env(), [handle = Use(info.Env()), session = session_]() -> ToJs {
        virDomainPtr* list = nullptr;
        const int count = Checked(virConnectListAllDomains(handle->get(), &list, 0));
        const std::unique_ptr<virDomainPtr, decltype(&free)> owned(list, &free);
        std::vector<std::shared_ptr<DomainHandle>> domains;
        for (int i = 0; i < count; ++i) domains.push_back(DomainHandle::Take(handle, list[i]));
        return [domains = std::move(domains), session](Napi::Env env) -> Napi::Value {
          auto array = Napi::Array::New(env, domains.size());
          for (size_t i = 0; i < domains.size(); ++i)
            array[static_cast<uint32_t>(i)] = Domain::Create(env, session, domains[i]);
          return array;
        };
      });
}

template <typename Get>
Napi::Value Connection::GetDomain(Napi::Env env, Get get) {
  return Environment::Of(env).Start(
      env, [handle = Use(env), session = session_, get = std::move(get)]() -> ToJs {
        const auto domain = DomainHandle::Take(handle, Checked(get(handle->get())));
        return [domain, session](Napi::Env js) -> Napi::Value { return Domain::Create(js, session, domain); };
      });
}

Napi::Value Connection::DomainByName(const Napi::CallbackInfo& info) {
  return GetDomain(info.Env(), [name = TextArgument(info, 0, "name", kMaxName)](virConnectPtr connection) {
    return virDomainLookupByName(connection, name.c_str());
  });
}

Napi::Value Connection::DomainById(const Napi::CallbackInfo& info) {
  return GetDomain(info.Env(), [id = WholeArgument(info, 0, "id", INT32_MAX)](virConnectPtr connection) {
    return virDomainLookupByID(connection, static_cast<int>(id));
  });
}

Napi::Value Connection::DomainByUuid(const Napi::CallbackInfo& info) {
  return GetDomain(info.Env(), [uuid = TextArgument(info, 0, "uuid", kMaxName)](virConnectPtr connection) {
    return virDomainLookupByUUIDString(connection, uuid.c_str());
  });
}

Napi::Value Connection::DefineDomain(const Napi::CallbackInfo& info) {
  return GetDomain(info.Env(), [xml = TextArgument(info, 0, "xml", kMaxText)](virConnectPtr connection) {
    return virDomainDefineXMLFlags(connection, xml.c_str(), VIR_DOMAIN_DEFINE_VALIDATE);
  });
}

Napi::Value Connection::Stats(const Napi::CallbackInfo& info) {
  const unsigned int groups = WordsArgument(info, 0, "groups", kStatsGroups);
  return Environment::Of(info.Env()).Start(info.Env(), [handle = Use(info.Env()), groups]() -> ToJs {
    return [records = AllDomainStats(handle->get(), groups)](Napi::Env env) -> Napi::Value {
      auto array = Napi::Array::New(env, records.size());
      for (size_t i = 0; i < records.size(); ++i) array[static_cast<uint32_t>(i)] = records[i].ToObject(env);
      return array;
    };
  });
}
