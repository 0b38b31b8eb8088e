// The filters of the command line, as a request carries them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "orb8/v1/agent.pb.h"

namespace orb8 {

// A single filter goes where agents without `allow` look for it, too, and its namespaces and pods
// where upstream's agents do.
template <class Request>
void put_filters(const std::vector<v1::FlowFilter>& filters, Request& request) {
  if (filters.size() != 1) {
    request.mutable_allow()->Add(filters.begin(), filters.end());
    return;
  }
  auto& filter = *request.mutable_filter();
  filter = filters.front();
  if (!filter.has_either()) return;
  request.mutable_namespaces()->Swap(filter.mutable_either()->mutable_namespaces());
  request.mutable_pod_names()->Swap(filter.mutable_either()->mutable_pods());
}

}  // namespace orb8
