// SPDX-License-Identifier: Apache-2.0
#include "failure.h"

#include <libvirt/virterror.h>

#include <cstdlib>
#include <memory>

Failure Failure::Last() {
  const virError* error = virGetLastError();
  if (!error) return Internal("libvirt reported a failure without an error");
  return {error->code, error->domain, error->level, error->message ? error->message : ""};
}

Failure Failure::Internal(std::string message) {
  return {VIR_ERR_INTERNAL_ERROR, VIR_FROM_NONE, VIR_ERR_ERROR, std::move(message)};
}

Napi::Error Failure::ToError(Napi::Env env) const {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::Number::New(env, code));
  error.Set("domain", Napi::Number::New(env, domain));
  error.Set("level", Napi::Number::New(env, level));
  return error;
}

std::string TakeString(char* result) {
  const std::unique_ptr<char, decltype(&free)> owned(Checked(result), &free);
  return owned.get();
}

Napi::Error OwnError(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  return error;
}
