// SPDX-License-Identifier: Apache-2.0
#include "stats.h"

#include <libvirt/virterror.h>

#include "failure.h"

namespace {

std::vector<StatsRecord> TakeRecords(virDomainStatsRecordPtr* list, int count) {
  const std::unique_ptr<virDomainStatsRecordPtr, decltype(&virDomainStatsRecordListFree)> owned(
      list, &virDomainStatsRecordListFree);
  std::vector<StatsRecord> records;
  for (int i = 0; i < count; ++i)
    records.push_back({Identity::Of(list[i]->dom), ReadParameters(list[i]->params, list[i]->nparams)});
  return records;
}

}  // namespace

Napi::Object StatsRecord::ToObject(Napi::Env env) const {
  auto which = Napi::Object::New(env);
  domain.WriteTo(which);
  auto record = Napi::Object::New(env);
  record.Set("domain", which);
  record.Set("values", ::ToObject(env, values));
  return record;
}

std::vector<StatsRecord> AllDomainStats(virConnectPtr connection, unsigned int groups) {
  virDomainStatsRecordPtr* list = nullptr;
  const int count = Checked(
      virConnectGetAllDomainStats(connection, groups, &list, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT));
  return TakeRecords(list, count);
}

StatsRecord DomainStats(const DomainHandle& domain, unsigned int groups) {
  virDomainStatsRecordPtr* list = nullptr;
  virDomainPtr domains[] = {domain.get(), nullptr};
  const int count =
      Checked(virDomainListGetStats(domains, groups, &list, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT));
  auto records = TakeRecords(list, count);
  // libvirt leaves out a domain that went between its look-up and now, without an error.
  if (records.empty())
    throw Failure{VIR_ERR_NO_DOMAIN, VIR_FROM_DOMAIN, VIR_ERR_ERROR,
                  "Domain not found: '" + domain.identity().name + "' is gone"};
  return std::move(records.front());
}
