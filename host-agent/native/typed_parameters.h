// SPDX-License-Identifier: Apache-2.0
#ifndef VMCALL_TYPED_PARAMETERS_H
#define VMCALL_TYPED_PARAMETERS_H

#include <libvirt/libvirt.h>
#include <napi.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "arguments.h"

/** libvirt's typed parameters as plain data, in their order. */
using TypedValue = std::variant<int, unsigned int, int64_t, uint64_t, double, bool, std::string>;
using TypedParameters = std::vector<std::pair<std::string, TypedValue>>;

TypedParameters ReadParameters(const virTypedParameter* parameters, int count);

/**
 * A flat object. 64-bit integers are always bigint and 32-bit ones always number, whatever their value, so
 * that a field never changes its type: nanosecond counters leave the safe integers after 104 days.
 */
Napi::Object ToObject(Napi::Env env, const TypedParameters& parameters);

/** Parameters on their way to libvirt. */
class ParameterList {
 public:
  ParameterList() = default;
  ~ParameterList() { virTypedParamsFree(list_, count_); }
  ParameterList(const ParameterList&) = delete;
  ParameterList& operator=(const ParameterList&) = delete;

  /** Adds `value` in the type libvirt itself has for it. Throws Failure unless that holds it exactly. */
  void Add(const std::string& name, int type, const Loose& value);

  virTypedParameterPtr get() const { return list_; }
  int count() const { return count_; }

 private:
  virTypedParameterPtr list_ = nullptr;
  int count_ = 0;
  int capacity_ = 0;
};

#endif
