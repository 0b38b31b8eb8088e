// Values to the wire contract, proto/orb8/v1/agent.proto.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "core/export/interface_names.h"
#include "core/model/event.h"
#include "core/model/flow.h"
#include "core/model/status.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

void to_wire(const Flow& flow, InterfaceNames& names, v1::NetworkFlow& out);

// `dropped_before`: what this subscriber lost since its event before.
void to_wire(const Event& event, InterfaceNames& names, std::uint64_t dropped_before,
             v1::NetworkEvent& out);

void to_wire(const Accounting& accounting, v1::Accounting& out);

void to_wire(const WatchCounters& counters, v1::KubernetesStatus& out);

void to_wire(const ExporterStatus& exporter, v1::ExporterStatus& out);

struct NodeInfo {
  std::string name;
  std::string version;
};
void to_wire(const Status& status, const NodeInfo& node, std::int64_t now_ns, v1::AgentStatus& out);

}  // namespace orb8
