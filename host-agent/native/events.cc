// SPDX-License-Identifier: Apache-2.0
#include "events.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <chrono>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "enums.h"
#include "handles.h"
#include "thread.h"

/** Where the events of one subscription go; one is held by each of its callbacks. */
struct Addressee {
  std::shared_ptr<Mailbox> mailbox;
  uint64_t listener;

  static void Free(void* addressee) { delete static_cast<Addressee*>(addressee); }

  template <typename Fill>
  static void Send(void* addressee, const char* type, Fill fill) {
    const auto* to = static_cast<Addressee*>(addressee);
    to->mailbox->Notify(to->listener, [type, fill = std::move(fill)](Napi::Env env) -> Napi::Value {
      auto event = Napi::Object::New(env);
      event.Set("type", type);
      fill(event);
      return event;
    });
  }

  template <typename Fill>
  static void SendOf(virDomainPtr domain, void* addressee, const char* type, Fill fill) {
    try {
      Send(addressee, type, [identity = Identity::Of(domain), fill = std::move(fill)](Napi::Object event) {
        auto which = Napi::Object::New(event.Env());
        identity.WriteTo(which);
        event.Set("domain", which);
        fill(event);
      });
    } catch (const Failure&) {
      // A domain object without a name or UUID does not exist; nothing may be thrown into libvirt.
    }
  }
};

namespace {

void RunEventLoop() {
  for (;;) {
    // It does not fail twice for the same reason, but a loop that did must not take a whole CPU.
    if (virEventRunDefaultImpl() < 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

int OnLifecycle(virConnectPtr, virDomainPtr domain, int event, int detail, void* addressee) {
  Addressee::SendOf(domain, addressee, "lifecycle", [event, detail](Napi::Object object) {
    object.Set("event", Word(kLifecycle, event));
    object.Set("detail", detail);
  });
  return 0;
}

void OnMetadata(virConnectPtr, virDomainPtr domain, int kind, const char* uri, void* addressee) {
  const std::optional<std::string> named = uri ? std::optional<std::string>(uri) : std::nullopt;
  Addressee::SendOf(domain, addressee, "metadata", [kind, named](Napi::Object object) {
    const Napi::Env env = object.Env();
    object.Set("kind", Word(kMetadataKinds, kind));
    object.Set("uri", named ? Napi::String::New(env, *named).As<Napi::Value>() : env.Null());
  });
}

void OnClose(virConnectPtr, int reason, void* addressee) {
  Addressee::Send(addressee, "disconnected",
                  [reason](Napi::Object object) { object.Set("reason", Word(kCloseReasons, reason)); });
}

}  // namespace

void InitializeLibvirt() {
  static std::once_flag once;
  std::call_once(once, [] {
    Checked(virInitialize());
    virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
    Checked(virEventRegisterDefaultImpl());
    try {
      StartThread("vmcall-events", RunEventLoop);
    } catch (const std::system_error& error) {
      throw Failure::Internal(std::string("no thread for libvirt's events: ") + error.what());
    }
  });
}

void ConnectionHandle::Subscribe(const std::shared_ptr<Mailbox>& mailbox, uint64_t listener) {
  const auto subscribe = [&](int event, virConnectDomainEventGenericCallback callback) {
    auto addressee = std::make_unique<Addressee>(Addressee{mailbox, listener});
    callbacks_.push_back(Checked(virConnectDomainEventRegisterAny(connection_, nullptr, event, callback,
                                                                  addressee.get(), &Addressee::Free)));
    addressee.release();  // libvirt's now, which calls Free
  };
  subscribe(VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(OnLifecycle));
  subscribe(VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(OnMetadata));
  // Stays ours: libvirt reports success for drivers that cannot be lost, and then neither keeps nor frees it.
  close_addressee_ = std::make_shared<Addressee>(Addressee{mailbox, listener});
  Checked(virConnectRegisterCloseCallback(connection_, OnClose, close_addressee_.get(), nullptr));
}

void ConnectionHandle::Unsubscribe() {
  // Failures are of no consequence: a connection that is lost has no callbacks left.
  for (const int callback : callbacks_) virConnectDomainEventDeregisterAny(connection_, callback);
  // Waits for a callback under way; only then may the addressee go.
  if (close_addressee_) virConnectUnregisterCloseCallback(connection_, OnClose);
}
