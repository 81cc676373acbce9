// SPDX-License-Identifier: Apache-2.0
#ifndef VMCALL_ARGUMENTS_H
#define VMCALL_ARGUMENTS_H

#include <napi.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "enums.h"

// Arguments from JavaScript, each checked for type and bounds; all throw TypeError naming the argument.

/** Bounds of what is handed to libvirt: those of its own wire format (remote_protocol.x). */
constexpr size_t kMaxText = 4 * 1024 * 1024;
constexpr size_t kMaxName = 4096;
constexpr uint32_t kMaxCpus = 16384;
constexpr size_t kMaxParameters = 16;

/** UTF-8, `max` bytes at most, without NUL (libvirt would read no further). */
std::string TextArgument(const Napi::CallbackInfo& info, size_t index, const char* name, size_t max);

bool BooleanArgument(const Napi::CallbackInfo& info, size_t index, const char* name);

/** A whole number from 0 to `max`. */
uint32_t WholeArgument(const Napi::CallbackInfo& info, size_t index, const char* name, uint32_t max);

Napi::Function FunctionArgument(const Napi::CallbackInfo& info, size_t index, const char* name);

/** One of the words of `table`. */
unsigned int WordArgument(const Napi::CallbackInfo& info, size_t index, const char* name,
                          const NamedValues& table);

/** An array of words of `table`, not empty, or-ed. */
unsigned int WordsArgument(const Napi::CallbackInfo& info, size_t index, const char* name,
                           const NamedValues& table);

/** An array of pCPU numbers, not empty, as libvirt's bitmap. */
std::vector<unsigned char> CpuMapArgument(const Napi::CallbackInfo& info, size_t index, const char* name);

/** A value whose libvirt type is not known yet. A number stands for any type that holds it exactly. */
using Loose = std::variant<double, int64_t, uint64_t, bool, std::string>;

/** The own properties of an object, at least one, kMaxParameters at most. */
std::vector<std::pair<std::string, Loose>> ParametersArgument(const Napi::CallbackInfo& info, size_t index,
                                                              const char* name);

#endif
