// Gives each flow of the table its owners, and again when more has come to be known.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "core/flow/flow_table.h"
#include "core/identity/identity.h"
#include "core/identity/kube_store.h"
#include "core/model/event.h"
#include "core/pipeline/flow_namer.h"
#include "core/pipeline/late_flows.h"
#include "core/pipeline/owners_pool.h"

namespace orb8 {

// One thread's. What it is made of outlives it.
//
// A connection inside this machine has two sockets: each end learns exactly who the other is, where
// an address of the machine may be any process's, or any pod's on the host's network.
class Attribution {
 public:
  // `kube` null: not in Kubernetes.
  Attribution(Identity& identity, FlowNamer& namer, FlowTable& table, KubeStore* kube)
      : identity_(identity), namer_(namer), table_(table), kube_(kube) {}

  // Before records and packets are taken in: what happened to connections comes before them. Times
  // are of any clock that never goes back.
  void refresh(std::int64_t now_ns) {
    now_ns_ = now_ns;
    namer_.refresh(now_ns);
  }

  // Of a record that the table takes in just now; settle() when it has.
  FlowOwnersRef owners_of(const FlowRecord& record);
  // Whether the flow that a record named last is with somebody inside this machine whose socket was
  // not told of yet. Once it is, settle() knows who that is.
  bool awaits_other_end() const noexcept { return awaits_other_end_; }
  // Of a packet, which no socket is known of.
  FlowOwnersRef owners_of(const Event& packet);

  // Tells the other ends of this machine's connections whom they were found to be with.
  void settle();

  // Names what could not be named before, where there are news: flows of the last seconds at once,
  // older ones once a second at most, since all are looked through for them; after a list all there
  // are. Whether any name changed.
  bool name_late(std::int64_t now_ns);

 private:
  struct Meeting {
    FlowKey key;  // one of the other end's two flows
    EndpointRef peer;
  };
  // What names a flow beside its key.
  struct End {
    std::uint32_t netns = 0;
    std::int64_t began_ns = 0;
    OwnerRef local;
  };
  FlowOwners owners_of(const FlowKey& key, const End& end);
  void pair_up(const FlowKey& key, const End& end, FlowOwners& owners);
  void tell_peer(FlowKey key, const EndpointRef& peer);
  bool name_recent(const KubeNews& news, bool connections, std::int64_t now_ns);
  bool name_older(std::int64_t now_ns);
  EndpointRef kept(const EndpointRef& before, EndpointRef now) const;
  bool name_again(const FlowKey& key);
  bool name_all_again();

  Identity& identity_;
  FlowNamer& namer_;
  FlowTable& table_;
  KubeStore* kube_;
  OwnersPool pool_;
  LateFlows late_;
  std::vector<Meeting> meetings_;  // to be told by settle()
  bool awaits_other_end_ = false;
  std::int64_t now_ns_ = 0;
  // Of what is known, when name_late() looked.
  std::uint64_t version_ = 0;
  std::uint64_t connections_ = 0;
  std::uint64_t lists_ = 0;
  KubeNews for_older_;  // for which older flows were not looked through yet
  std::int64_t looked_through_ns_ = std::numeric_limits<std::int64_t>::min() / 2;
};

}  // namespace orb8
