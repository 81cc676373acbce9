// SPDX-License-Identifier: Apache-2.0
#ifndef VMCALL_STATS_H
#define VMCALL_STATS_H

#include <vector>

#include "handles.h"
#include "typed_parameters.h"

/** The statistics of one domain at one time. */
struct StatsRecord {
  Identity domain;
  TypedParameters values;

  Napi::Object ToObject(Napi::Env env) const;
};

// Both take what can be had without waiting for a domain that is busy with something else, and throw Failure.

std::vector<StatsRecord> AllDomainStats(virConnectPtr connection, unsigned int groups);
StatsRecord DomainStats(const DomainHandle& domain, unsigned int groups);

#endif
