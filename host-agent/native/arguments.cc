// SPDX-License-Identifier: Apache-2.0
#include "arguments.h"

#include <libvirt/libvirt.h>

#include <cmath>

namespace {

/** TypeErrors say what was expected and what kind of value came; never the value, which may be large. */
Napi::TypeError Unfit(Napi::Env env, const std::string& name, const std::string& expected,
                      Napi::Value value) {
  static constexpr const char* kinds[] = {"undefined", "null",     "a boolean", "a number", "a string",
                                          "a symbol",  "an object", "a function", "an external", "a bigint"};
  std::string got = kinds[value.Type()];
  if (value.IsNumber()) got = "the number " + value.ToString().Utf8Value();
  return Napi::TypeError::New(env, name + " must be " + expected + ", not " + got);
}

std::string Text(Napi::Env env, Napi::Value value, const std::string& name, size_t max) {
  if (!value.IsString()) throw Unfit(env, name, "a string", value);
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) throw Napi::Error::New(env);
  if (length > max)
    throw Napi::TypeError::New(env, name + " must be " + std::to_string(max) + " bytes at most, not " +
                                        std::to_string(length));
  std::string text = value.As<Napi::String>().Utf8Value();
  if (text.find('\0') != std::string::npos)
    throw Napi::TypeError::New(env, name + " must not contain a NUL character");
  return text;
}

uint32_t Whole(Napi::Env env, Napi::Value value, const std::string& name, uint32_t max) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= max && number == std::floor(number)))
    throw Unfit(env, name, "a whole number from 0 to " + std::to_string(max), value);
  return static_cast<uint32_t>(number);
}

unsigned int Word(Napi::Env env, Napi::Value value, const std::string& name, const NamedValues& table) {
  const std::string word = value.IsString() ? Text(env, value, name, kMaxName) : "";
  std::string words;
  for (const auto& [known, number] : table) {
    if (word == known) return static_cast<unsigned int>(number);
    words += (words.empty() ? "" : ", ") + std::string(known);
  }
  throw Unfit(env, name, "one of " + words, value);
}

Napi::Array NonEmptyArray(Napi::Env env, Napi::Value value, const std::string& name, uint32_t max) {
  const std::string expected = "an array of 1 to " + std::to_string(max) + " elements";
  if (!value.IsArray()) throw Unfit(env, name, expected, value);
  const auto array = value.As<Napi::Array>();
  if (array.Length() == 0 || array.Length() > max)
    throw Napi::TypeError::New(
        env, name + " must be " + expected + ", not of " + std::to_string(array.Length()));
  return array;
}

Loose LooseValue(Napi::Env env, Napi::Value value, const std::string& name) {
  if (value.IsNumber() && std::isfinite(value.As<Napi::Number>().DoubleValue()))
    return value.As<Napi::Number>().DoubleValue();
  if (value.IsBoolean()) return value.As<Napi::Boolean>().Value();
  if (value.IsString()) return Text(env, value, name, kMaxName);
  if (value.IsBigInt()) {
    bool exact = false;
    const int64_t number = value.As<Napi::BigInt>().Int64Value(&exact);
    if (exact) return number;
    const uint64_t large = value.As<Napi::BigInt>().Uint64Value(&exact);
    if (exact) return large;
    throw Napi::TypeError::New(env, name + " must fit into 64 bits");
  }
  throw Unfit(env, name, "a finite number, a bigint, a boolean or a string", value);
}

std::string Element(const char* name, uint32_t index) { return name + ("[" + std::to_string(index) + "]"); }

}  // namespace

std::string TextArgument(const Napi::CallbackInfo& info, size_t index, const char* name, size_t max) {
  return Text(info.Env(), info[index], name, max);
}

bool BooleanArgument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (!info[index].IsBoolean()) throw Unfit(info.Env(), name, "a boolean", info[index]);
  return info[index].As<Napi::Boolean>().Value();
}

uint32_t WholeArgument(const Napi::CallbackInfo& info, size_t index, const char* name, uint32_t max) {
  return Whole(info.Env(), info[index], name, max);
}

Napi::Function FunctionArgument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (!info[index].IsFunction()) throw Unfit(info.Env(), name, "a function", info[index]);
  return info[index].As<Napi::Function>();
}

unsigned int WordArgument(const Napi::CallbackInfo& info, size_t index, const char* name,
                          const NamedValues& table) {
  return Word(info.Env(), info[index], name, table);
}

unsigned int WordsArgument(const Napi::CallbackInfo& info, size_t index, const char* name,
                           const NamedValues& table) {
  const auto array = NonEmptyArray(info.Env(), info[index], name, static_cast<uint32_t>(table.size()));
  const uint32_t length = array.Length();
  unsigned int all = 0;
  for (uint32_t i = 0; i < length; ++i) all |= Word(info.Env(), array.Get(i), Element(name, i), table);
  return all;
}

std::vector<unsigned char> CpuMapArgument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  const auto array = NonEmptyArray(info.Env(), info[index], name, kMaxCpus);
  const uint32_t length = array.Length();
  std::vector<unsigned char> map;
  for (uint32_t i = 0; i < length; ++i) {
    const uint32_t cpu = Whole(info.Env(), array.Get(i), Element(name, i), kMaxCpus - 1);
    if (map.size() < VIR_CPU_MAPLEN(cpu + 1)) map.resize(VIR_CPU_MAPLEN(cpu + 1));
    VIR_USE_CPU(map.data(), cpu);
  }
  return map;
}

std::vector<std::pair<std::string, Loose>> ParametersArgument(const Napi::CallbackInfo& info, size_t index,
                                                              const char* name) {
  if (!info[index].IsObject() || info[index].IsArray())
    throw Unfit(info.Env(), name, "an object of parameters", info[index]);
  const auto object = info[index].As<Napi::Object>();
  const auto keys = NonEmptyArray(info.Env(), object.GetPropertyNames(), std::string("the names of ") + name,
                                  kMaxParameters);
  const uint32_t length = keys.Length();
  std::vector<std::pair<std::string, Loose>> parameters;
  for (uint32_t i = 0; i < length; ++i) {
    const Napi::Value key = keys.Get(i);
    const std::string field =
        Text(info.Env(), key, std::string("a name of ") + name, VIR_TYPED_PARAM_FIELD_LENGTH - 1);
    parameters.emplace_back(field, LooseValue(info.Env(), object.Get(key), name + ("." + field)));
  }
  return parameters;
}
