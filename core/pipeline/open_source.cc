// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/open_source.h"

#include <string>

#include "core/source/tc_source.h"

namespace orb8 {
namespace {

TcMechanism to_mechanism(TcAttach attach) {
  switch (attach) {
    case TcAttach::kTcx:
      return TcMechanism::kTcx;
    case TcAttach::kClsact:
      return TcMechanism::kClsact;
    case TcAttach::kAuto:
      break;
  }
  return TcMechanism::kAuto;
}

std::string why_tc(FlowSourceChoice choice) {
  if (choice == FlowSourceChoice::kTc) return "chosen by flow_source";
  return "auto: the only source of this version";
}

}  // namespace

Result<std::unique_ptr<FlowSource>> open_source(const Config& config) {
  return TcSource::open({
      .interfaces = config.interfaces,
      .mechanism = to_mechanism(config.tc_attach),
      .place = config.tc_anchor == TcAnchor::kHead ? TcPlace::kHead : TcPlace::kTail,
      .max_flows = config.max_flows,
      .packet_ring_bytes = config.ring_buffer_size,
      .reason = why_tc(config.flow_source),
  });
}

}  // namespace orb8
