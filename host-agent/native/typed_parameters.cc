// SPDX-License-Identifier: Apache-2.0
#include "typed_parameters.h"

#include <libvirt/virterror.h>

#include <cmath>
#include <limits>
#include <utility>

#include "failure.h"

namespace {

constexpr double kMaxSafeInteger = 9007199254740991;

Failure Unfit(const std::string& name, const std::string& expected) {
  return {VIR_ERR_INVALID_ARG, VIR_FROM_NONE, VIR_ERR_ERROR, "parameter '" + name + "' must be " + expected};
}

template <typename Integer>
Integer Whole(const std::string& name, const Loose& value) {
  using Limits = std::numeric_limits<Integer>;
  if (const auto* number = std::get_if<double>(&value)) {
    if (*number == std::floor(*number) && std::fabs(*number) <= kMaxSafeInteger &&
        std::in_range<Integer>(static_cast<int64_t>(*number)))
      return static_cast<Integer>(*number);
  } else if (const auto* small = std::get_if<int64_t>(&value)) {
    if (std::in_range<Integer>(*small)) return static_cast<Integer>(*small);
  } else if (const auto* large = std::get_if<uint64_t>(&value)) {
    if (std::in_range<Integer>(*large)) return static_cast<Integer>(*large);
  }
  throw Unfit(name, "a whole number from " + std::to_string(Limits::min()) + " to " +
                        std::to_string(Limits::max()));
}

template <typename Value>
const Value& Exactly(const std::string& name, const Loose& value, const char* expected) {
  if (const auto* exact = std::get_if<Value>(&value)) return *exact;
  throw Unfit(name, expected);
}

TypedValue Read(const virTypedParameter& parameter) {
  switch (parameter.type) {
    case VIR_TYPED_PARAM_INT:
      return parameter.value.i;
    case VIR_TYPED_PARAM_UINT:
      return parameter.value.ui;
    case VIR_TYPED_PARAM_LLONG:
      return static_cast<int64_t>(parameter.value.l);
    case VIR_TYPED_PARAM_ULLONG:
      return static_cast<uint64_t>(parameter.value.ul);
    case VIR_TYPED_PARAM_DOUBLE:
      return parameter.value.d;
    case VIR_TYPED_PARAM_BOOLEAN:
      return parameter.value.b != 0;
    case VIR_TYPED_PARAM_STRING:
      return std::string(parameter.value.s ? parameter.value.s : "");
    default:
      throw Failure::Internal("libvirt sent a parameter of unknown type " + std::to_string(parameter.type));
  }
}

struct ToJsValue {
  Napi::Env env;
  Napi::Value operator()(int64_t value) const { return Napi::BigInt::New(env, value); }
  Napi::Value operator()(uint64_t value) const { return Napi::BigInt::New(env, value); }
  Napi::Value operator()(bool value) const { return Napi::Boolean::New(env, value); }
  Napi::Value operator()(const std::string& value) const { return Napi::String::New(env, value); }
  template <typename Number>
  Napi::Value operator()(Number value) const {
    return Napi::Number::New(env, value);
  }
};

}  // namespace

TypedParameters ReadParameters(const virTypedParameter* parameters, int count) {
  TypedParameters read;
  for (int i = 0; i < count; ++i) read.emplace_back(parameters[i].field, Read(parameters[i]));
  return read;
}

Napi::Object ToObject(Napi::Env env, const TypedParameters& parameters) {
  auto object = Napi::Object::New(env);
  for (const auto& [name, value] : parameters) object.Set(name, std::visit(ToJsValue{env}, value));
  return object;
}

void ParameterList::Add(const std::string& name, int type, const Loose& value) {
  const char* field = name.c_str();
  switch (type) {
    case VIR_TYPED_PARAM_INT:
      Checked(virTypedParamsAddInt(&list_, &count_, &capacity_, field, Whole<int>(name, value)));
      return;
    case VIR_TYPED_PARAM_UINT:
      Checked(virTypedParamsAddUInt(&list_, &count_, &capacity_, field, Whole<unsigned int>(name, value)));
      return;
    case VIR_TYPED_PARAM_LLONG:
      Checked(virTypedParamsAddLLong(&list_, &count_, &capacity_, field, Whole<long long>(name, value)));
      return;
    case VIR_TYPED_PARAM_ULLONG:
      Checked(virTypedParamsAddULLong(&list_, &count_, &capacity_, field,
                                      Whole<unsigned long long>(name, value)));
      return;
    case VIR_TYPED_PARAM_DOUBLE:
      Checked(virTypedParamsAddDouble(&list_, &count_, &capacity_, field,
                                      Exactly<double>(name, value, "a number")));
      return;
    case VIR_TYPED_PARAM_BOOLEAN:
      Checked(virTypedParamsAddBoolean(&list_, &count_, &capacity_, field,
                                       Exactly<bool>(name, value, "a boolean")));
      return;
    case VIR_TYPED_PARAM_STRING:
      Checked(virTypedParamsAddString(&list_, &count_, &capacity_, field,
                                      Exactly<std::string>(name, value, "a string").c_str()));
      return;
    default:
      throw Failure::Internal("libvirt has an unknown type for parameter '" + name + "'");
  }
}
