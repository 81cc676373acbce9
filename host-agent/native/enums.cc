// SPDX-License-Identifier: Apache-2.0
#include "enums.h"

#include <libvirt/libvirt.h>

namespace {

constexpr NamedValue kDomainStatesWords[] = {
    {"no state", VIR_DOMAIN_NOSTATE},      {"running", VIR_DOMAIN_RUNNING},
    {"blocked", VIR_DOMAIN_BLOCKED},       {"paused", VIR_DOMAIN_PAUSED},
    {"in shutdown", VIR_DOMAIN_SHUTDOWN},  {"shut off", VIR_DOMAIN_SHUTOFF},
    {"crashed", VIR_DOMAIN_CRASHED},       {"pmsuspended", VIR_DOMAIN_PMSUSPENDED},
};

constexpr NamedValue kVcpuStatesWords[] = {
    {"offline", VIR_VCPU_OFFLINE},
    {"running", VIR_VCPU_RUNNING},
    {"blocked", VIR_VCPU_BLOCKED},
};

constexpr NamedValue kLifecycleWords[] = {
    {"defined", VIR_DOMAIN_EVENT_DEFINED},         {"undefined", VIR_DOMAIN_EVENT_UNDEFINED},
    {"started", VIR_DOMAIN_EVENT_STARTED},         {"suspended", VIR_DOMAIN_EVENT_SUSPENDED},
    {"resumed", VIR_DOMAIN_EVENT_RESUMED},         {"stopped", VIR_DOMAIN_EVENT_STOPPED},
    {"shutdown", VIR_DOMAIN_EVENT_SHUTDOWN},       {"pmsuspended", VIR_DOMAIN_EVENT_PMSUSPENDED},
    {"crashed", VIR_DOMAIN_EVENT_CRASHED},
};

constexpr NamedValue kCloseReasonsWords[] = {
    {"error", VIR_CONNECT_CLOSE_REASON_ERROR},
    {"end of file", VIR_CONNECT_CLOSE_REASON_EOF},
    {"keepalive timeout", VIR_CONNECT_CLOSE_REASON_KEEPALIVE},
    {"closed by client", VIR_CONNECT_CLOSE_REASON_CLIENT},
};

constexpr NamedValue kMetadataKindsWords[] = {
    {"description", VIR_DOMAIN_METADATA_DESCRIPTION},
    {"title", VIR_DOMAIN_METADATA_TITLE},
    {"element", VIR_DOMAIN_METADATA_ELEMENT},
};

constexpr NamedValue kStatsGroupsWords[] = {
    {"state", VIR_DOMAIN_STATS_STATE},         {"cpu-total", VIR_DOMAIN_STATS_CPU_TOTAL},
    {"balloon", VIR_DOMAIN_STATS_BALLOON},     {"vcpu", VIR_DOMAIN_STATS_VCPU},
    {"interface", VIR_DOMAIN_STATS_INTERFACE}, {"block", VIR_DOMAIN_STATS_BLOCK},
    {"perf", VIR_DOMAIN_STATS_PERF},           {"iothread", VIR_DOMAIN_STATS_IOTHREAD},
    {"memory", VIR_DOMAIN_STATS_MEMORY},       {"dirtyrate", VIR_DOMAIN_STATS_DIRTYRATE},
    {"vm", VIR_DOMAIN_STATS_VM},
};

constexpr NamedValue kAffectedWords[] = {
    {"current", VIR_DOMAIN_AFFECT_CURRENT},
    {"live", VIR_DOMAIN_AFFECT_LIVE},
    {"config", VIR_DOMAIN_AFFECT_CONFIG},
    {"live+config", VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG},
};

}  // namespace

constinit const NamedValues kDomainStates = kDomainStatesWords;
constinit const NamedValues kVcpuStates = kVcpuStatesWords;
constinit const NamedValues kLifecycle = kLifecycleWords;
constinit const NamedValues kCloseReasons = kCloseReasonsWords;
constinit const NamedValues kMetadataKinds = kMetadataKindsWords;
constinit const NamedValues kStatsGroups = kStatsGroupsWords;
constinit const NamedValues kAffected = kAffectedWords;

std::string Word(const NamedValues& table, int value) {
  for (const auto& [word, known] : table)
    if (known == value) return std::string(word);
  return "unknown(" + std::to_string(value) + ")";
}
