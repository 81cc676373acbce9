// SPDX-License-Identifier: Apache-2.0
#ifndef VMCALL_ENUMS_H
#define VMCALL_ENUMS_H

#include <span>
#include <string>
#include <string_view>
#include <utility>

// libvirt's enumerations as the words the JavaScript side uses, which are virsh's.

using NamedValue = std::pair<std::string_view, int>;
using NamedValues = std::span<const NamedValue>;

extern const NamedValues kDomainStates;    ///< virDomainState
extern const NamedValues kVcpuStates;      ///< virVcpuState
extern const NamedValues kLifecycle;       ///< virDomainEventType
extern const NamedValues kCloseReasons;    ///< virConnectCloseReason
extern const NamedValues kMetadataKinds;   ///< virDomainMetadataType
extern const NamedValues kStatsGroups;     ///< virDomainStatsTypes
extern const NamedValues kAffected;        ///< virDomainModificationImpact

/** The word for a value; "unknown(N)" for one that this build's libvirt headers do not have. */
std::string Word(const NamedValues& table, int value);

#endif
