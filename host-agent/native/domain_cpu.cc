// SPDX-License-Identifier: Apache-2.0
#include <libvirt/virterror.h>

#include <algorithm>

#include "arguments.h"
#include "domain.h"
#include "typed_parameters.h"

// The part of Domain that says on which pCPUs a domain's threads run, and how they are scheduled.

namespace {

/** Room for a bitmap of every pCPU of the host. */
size_t HostCpuMapLength(const DomainHandle& domain) {
  const int cpus = Checked(virNodeGetCPUMap(domain.connection(), nullptr, nullptr, 0));
  return VIR_CPU_MAPLEN(cpus);
}

/** The pCPU numbers in a bitmap of `length` bytes. */
std::vector<uint32_t> CpusOf(const unsigned char* map, size_t length) {
  std::vector<uint32_t> cpus;
  for (uint32_t cpu = 0; cpu < length * 8; ++cpu)
    if (VIR_CPU_USED(map, cpu)) cpus.push_back(cpu);
  return cpus;
}

Napi::Array ToArray(Napi::Env env, const std::vector<uint32_t>& cpus) {
  auto array = Napi::Array::New(env, cpus.size());
  for (size_t i = 0; i < cpus.size(); ++i) array[static_cast<uint32_t>(i)] = Napi::Number::New(env, cpus[i]);
  return array;
}

struct Scheduler {
  std::string type;
  std::vector<virTypedParameter> parameters;

  Scheduler(const DomainHandle& domain, unsigned int affect) {
    int count = 0;
    type = TakeString(virDomainGetSchedulerType(domain.get(), &count));
    parameters.resize(std::max(count, 0));
    // libvirt 9.0's test driver refuses a flag that libvirt itself adds to the call with flags.
    Checked(affect == VIR_DOMAIN_AFFECT_CURRENT
                ? virDomainGetSchedulerParameters(domain.get(), parameters.data(), &count)
                : virDomainGetSchedulerParametersFlags(domain.get(), parameters.data(), &count, affect));
    parameters.resize(count);
  }
  ~Scheduler() { virTypedParamsClear(parameters.data(), static_cast<int>(parameters.size())); }
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  TypedParameters Read() const {
    return ReadParameters(parameters.data(), static_cast<int>(parameters.size()));
  }

  /** libvirt's type of a parameter. */
  int TypeOf(const std::string& name) const {
    for (const auto& parameter : parameters)
      if (name == parameter.field) return parameter.type;
    throw Failure{VIR_ERR_INVALID_ARG, VIR_FROM_NONE, VIR_ERR_ERROR,
                  "the scheduler '" + type + "' of the domain has no parameter '" + name + "'"};
  }
};

}  // namespace

Napi::Value Domain::Vcpus(const Napi::CallbackInfo& info) {
  return Start(info, [](const DomainHandle& domain) -> ToJs {
    struct Vcpu {
      virVcpuInfo info;
      std::vector<uint32_t> affinity;
    };
    const size_t length = HostCpuMapLength(domain);
    const int max = Checked(virDomainGetMaxVcpus(domain.get()));
    std::vector<virVcpuInfo> infos(max);
    std::vector<unsigned char> maps(max * length);
    const int count =
        Checked(virDomainGetVcpus(domain.get(), infos.data(), max, maps.data(), static_cast<int>(length)));
    std::vector<Vcpu> vcpus;
    for (int i = 0; i < count; ++i) vcpus.push_back({infos[i], CpusOf(maps.data() + i * length, length)});
    return [vcpus = std::move(vcpus)](Napi::Env env) -> Napi::Value {
      auto array = Napi::Array::New(env, vcpus.size());
      for (size_t i = 0; i < vcpus.size(); ++i) {
        const auto& [vcpu, affinity] = vcpus[i];
        auto object = Napi::Object::New(env);
        object.Set("number", vcpu.number);
        object.Set("state", Word(kVcpuStates, vcpu.state));
        object.Set("cpuTime", Napi::BigInt::New(env, static_cast<uint64_t>(vcpu.cpuTime)));
        // virVcpuHostCpuState: negative if offline or not known.
        object.Set("cpu", vcpu.cpu < 0 ? env.Null() : Napi::Number::New(env, vcpu.cpu).As<Napi::Value>());
        object.Set("affinity", ToArray(env, affinity));
        array[static_cast<uint32_t>(i)] = object;
      }
      return array;
    };
  });
}

Napi::Value Domain::VcpuPins(const Napi::CallbackInfo& info) {
  const unsigned int affect = WordArgument(info, 0, "affect", kAffected);
  return Start(info, [affect](const DomainHandle& domain) -> ToJs {
    const size_t length = HostCpuMapLength(domain);
    const int max = Checked(virDomainGetVcpusFlags(domain.get(), affect | VIR_DOMAIN_VCPU_MAXIMUM));
    std::vector<unsigned char> maps(max * length);
    const int count =
        Checked(virDomainGetVcpuPinInfo(domain.get(), max, maps.data(), static_cast<int>(length), affect));
    std::vector<std::vector<uint32_t>> pins;
    for (int i = 0; i < count; ++i) pins.push_back(CpusOf(maps.data() + i * length, length));
    return [pins = std::move(pins)](Napi::Env env) -> Napi::Value {
      auto array = Napi::Array::New(env, pins.size());
      for (size_t i = 0; i < pins.size(); ++i) array[static_cast<uint32_t>(i)] = ToArray(env, pins[i]);
      return array;
    };
  });
}

Napi::Value Domain::PinVcpu(const Napi::CallbackInfo& info) {
  const uint32_t vcpu = WholeArgument(info, 0, "vcpu", kMaxCpus - 1);
  const unsigned int affect = WordArgument(info, 2, "affect", kAffected);
  const auto map = CpuMapArgument(info, 1, "cpus");
  return Start(info, [vcpu, map, affect](const DomainHandle& domain) -> ToJs {
    auto bits = map;  // libvirt's parameter is not const
    Checked(virDomainPinVcpuFlags(domain.get(), vcpu, bits.data(), static_cast<int>(bits.size()), affect));
    return Nothing;
  });
}

Napi::Value Domain::EmulatorPin(const Napi::CallbackInfo& info) {
  const unsigned int affect = WordArgument(info, 0, "affect", kAffected);
  return Start(info, [affect](const DomainHandle& domain) -> ToJs {
    std::vector<unsigned char> map(HostCpuMapLength(domain));
    Checked(virDomainGetEmulatorPinInfo(domain.get(), map.data(), static_cast<int>(map.size()), affect));
    return [cpus = CpusOf(map.data(), map.size())](Napi::Env env) -> Napi::Value {
      return ToArray(env, cpus);
    };
  });
}

Napi::Value Domain::PinEmulator(const Napi::CallbackInfo& info) {
  const unsigned int affect = WordArgument(info, 1, "affect", kAffected);
  return Start(info, [map = CpuMapArgument(info, 0, "cpus"), affect](const DomainHandle& domain) -> ToJs {
    auto bits = map;
    Checked(virDomainPinEmulator(domain.get(), bits.data(), static_cast<int>(bits.size()), affect));
    return Nothing;
  });
}

Napi::Value Domain::SchedulerParameters(const Napi::CallbackInfo& info) {
  const unsigned int affect = WordArgument(info, 0, "affect", kAffected);
  return Start(info, [affect](const DomainHandle& domain) -> ToJs {
    const Scheduler scheduler(domain, affect);
    return [type = scheduler.type, values = scheduler.Read()](Napi::Env env) -> Napi::Value {
      auto object = Napi::Object::New(env);
      object.Set("type", type);
      object.Set("values", ToObject(env, values));
      return object;
    };
  });
}

Napi::Value Domain::SetSchedulerParameters(const Napi::CallbackInfo& info) {
  const unsigned int affect = WordArgument(info, 1, "affect", kAffected);
  // Live and configured parameters have the same types, but only those of one can be read at a time.
  const unsigned int read = affect & VIR_DOMAIN_AFFECT_CONFIG ? unsigned{VIR_DOMAIN_AFFECT_CONFIG} : affect;
  return Start(info, [wanted = ParametersArgument(info, 0, "parameters"), read,
                      affect](const DomainHandle& domain) -> ToJs {
    ParameterList list;
    const Scheduler scheduler(domain, read);
    for (const auto& [name, value] : wanted) list.Add(name, scheduler.TypeOf(name), value);
    Checked(virDomainSetSchedulerParametersFlags(domain.get(), list.get(), list.count(), affect));
    return Nothing;
  });
}
