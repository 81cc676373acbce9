// SPDX-License-Identifier: Apache-2.0
#include "domain.h"

#include "arguments.h"
#include "stats.h"

namespace {

/** Set around the construction of a Domain, which JavaScript cannot do by itself. */
struct Parts {
  std::shared_ptr<Session> session;
  std::shared_ptr<DomainHandle> handle;
};
thread_local Parts constructing;

ToJs Text(std::string text) {
  return [text = std::move(text)](Napi::Env env) -> Napi::Value { return Napi::String::New(env, text); };
}

}  // namespace

Napi::Function Domain::Define(Napi::Env env) {
  return DefineClass(env, "Domain",
                     {
                         InstanceMethod<&Domain::Close>("close"),
                         InstanceMethod<&Domain::State>("state"),
                         InstanceMethod<&Domain::Xml>("xml"),
                         InstanceMethod<&Domain::Metadata>("metadata"),
                         InstanceMethod<&Domain::SetMetadata>("setMetadata"),
                         InstanceMethod<&Domain::AttachDevice>("attachDevice"),
                         InstanceMethod<&Domain::DetachDevice>("detachDevice"),
                         InstanceMethod<&Domain::Stats>("stats"),
                         InstanceMethod<&Domain::Operate<virDomainCreate>>("start"),
                         InstanceMethod<&Domain::Operate<virDomainDestroy>>("destroy"),
                         InstanceMethod<&Domain::Operate<virDomainSuspend>>("suspend"),
                         InstanceMethod<&Domain::Operate<virDomainResume>>("resume"),
                         InstanceMethod<&Domain::Operate<virDomainUndefine>>("undefine"),
                         InstanceMethod<&Domain::Vcpus>("vcpus"),
                         InstanceMethod<&Domain::VcpuPins>("vcpuPins"),
                         InstanceMethod<&Domain::PinVcpu>("pinVcpu"),
                         InstanceMethod<&Domain::EmulatorPin>("emulatorPin"),
                         InstanceMethod<&Domain::PinEmulator>("pinEmulator"),
                         InstanceMethod<&Domain::SchedulerParameters>("schedulerParameters"),
                         InstanceMethod<&Domain::SetSchedulerParameters>("setSchedulerParameters"),
                     });
}

Napi::Object Domain::Create(Napi::Env env, const std::shared_ptr<Session>& session,
                            std::shared_ptr<DomainHandle> handle) {
  if (!session->handle) throw OwnError(env, "LIBVIRT_CLOSED", "the connection was closed during the call");
  constructing = {session, std::move(handle)};
  return Environment::Of(env).domain_class.New({});
}

Domain::Domain(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Domain>(info) {
  auto [session, handle] = std::exchange(constructing, {});
  if (!handle) throw Napi::TypeError::New(info.Env(), "a Domain comes from a Connection");
  session_ = std::move(session);
  handle_ = std::move(handle);
  session_->domains.insert(this);
  handle_->identity().WriteTo(info.This().As<Napi::Object>());
}

Domain::~Domain() {
  if (session_) session_->domains.erase(this);
}

std::shared_ptr<DomainHandle> Domain::Use(Napi::Env env) const {
  if (!session_->handle) throw OwnError(env, "LIBVIRT_CLOSED", "the connection of the domain is closed");
  if (!handle_) throw OwnError(env, "LIBVIRT_CLOSED", "the domain is closed");
  return handle_;
}

Napi::Value Domain::Close(const Napi::CallbackInfo& info) {
  session_->domains.erase(this);
  Release();
  return info.Env().Undefined();
}

Napi::Value Domain::State(const Napi::CallbackInfo& info) {
  return Start(info, [](const DomainHandle& domain) -> ToJs {
    int state = 0;
    int reason = 0;
    Checked(virDomainGetState(domain.get(), &state, &reason, 0));
    return [state, reason](Napi::Env env) -> Napi::Value {
      auto object = Napi::Object::New(env);
      object.Set("state", Word(kDomainStates, state));
      object.Set("reason", reason);
      return object;
    };
  });
}

Napi::Value Domain::Xml(const Napi::CallbackInfo& info) {
  const unsigned int flags = BooleanArgument(info, 0, "inactive") ? VIR_DOMAIN_XML_INACTIVE : 0;
  return Start(info, [flags](const DomainHandle& domain) {
    return Text(TakeString(virDomainGetXMLDesc(domain.get(), flags)));
  });
}

Napi::Value Domain::Metadata(const Napi::CallbackInfo& info) {
  const unsigned int affect = WordArgument(info, 1, "affect", kAffected);
  return Start(info, [uri = TextArgument(info, 0, "uri", kMaxName), affect](const DomainHandle& domain) {
    return Text(
        TakeString(virDomainGetMetadata(domain.get(), VIR_DOMAIN_METADATA_ELEMENT, uri.c_str(), affect)));
  });
}

Napi::Value Domain::SetMetadata(const Napi::CallbackInfo& info) {
  const std::string uri = TextArgument(info, 0, "uri", kMaxName);
  const std::string key = TextArgument(info, 1, "prefix", kMaxName);
  const bool remove = info[2].IsNull();
  const std::string xml = remove ? "" : TextArgument(info, 2, "xml", kMaxText);
  const unsigned int affect = WordArgument(info, 3, "affect", kAffected);
  return Start(info, [uri, key, remove, xml, affect](const DomainHandle& domain) -> ToJs {
    Checked(virDomainSetMetadata(domain.get(), VIR_DOMAIN_METADATA_ELEMENT, remove ? nullptr : xml.c_str(),
                                 key.c_str(), uri.c_str(), affect));
    return Nothing;
  });
}

Napi::Value Domain::AttachDevice(const Napi::CallbackInfo& info) {
  const unsigned int affect = WordArgument(info, 1, "affect", kAffected);
  return Start(info,
               [xml = TextArgument(info, 0, "xml", kMaxText), affect](const DomainHandle& domain) -> ToJs {
                 Checked(virDomainAttachDeviceFlags(domain.get(), xml.c_str(), affect));
                 return Nothing;
               });
}

Napi::Value Domain::DetachDevice(const Napi::CallbackInfo& info) {
  const unsigned int affect = WordArgument(info, 1, "affect", kAffected);
  return Start(info,
               [xml = TextArgument(info, 0, "xml", kMaxText), affect](const DomainHandle& domain) -> ToJs {
                 Checked(virDomainDetachDeviceFlags(domain.get(), xml.c_str(), affect));
                 return Nothing;
               });
}

Napi::Value Domain::Stats(const Napi::CallbackInfo& info) {
  const unsigned int groups = WordsArgument(info, 0, "groups", kStatsGroups);
  return Start(info, [groups](const DomainHandle& domain) -> ToJs {
    return [record = DomainStats(domain, groups)](Napi::Env env) -> Napi::Value {
      return record.ToObject(env);
    };
  });
}

template <int (*operation)(virDomainPtr)>
Napi::Value Domain::Operate(const Napi::CallbackInfo& info) {
  return Start(info, [](const DomainHandle& domain) -> ToJs {
    Checked(operation(domain.get()));
    return Nothing;
  });
}
