// What happens to each record: it gets its owners, joins the flow table, and is told to the
// streams.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_set>
#include <vector>

#include "core/flow/flow_history.h"
#include "core/flow/flow_table.h"
#include "core/flow/flow_view.h"
#include "core/flow/stream_hub.h"
#include "core/model/event.h"
#include "core/pipeline/attribution.h"
#include "core/pipeline/flow_desk.h"
#include "core/pipeline/metering.h"
#include "core/source/flow_source.h"

namespace orb8 {

// One thread's. What it is made of outlives it.
class FlowPath {
 public:
  struct Parts {
    FlowSource& source;
    Attribution& attribution;
    FlowTable& table;
    FlowHistory& history;
    StreamHub& hub;
    FlowDesk& desk;
    Metering& metering;
  };
  explicit FlowPath(const Parts& parts);

  // One snapshot: takes in what moved and ends the flows of `which` kind that are due.
  Result<void> take_snapshot(std::int64_t now_ns, FlowTable::Due which);

  // Where Kubernetes has news, gives names to flows that had none.
  void name_late();

  // Packets, and flows that came outside of snapshots. At most `most` a call; how many there were.
  std::size_t take_ready(std::size_t most);

  // Readers that wait get the flows as they are; between two records.
  void answer_readers();
  // The flows as they are: each in the table, or in the history. Between two records.
  FlowView view(bool history);

  std::uint64_t events_processed() const noexcept { return events_processed_; }
  Tally moved() const noexcept { return moved_; }  // all that was added to a flow
  // Flows that were closed because their socket was gone.
  std::uint64_t ended_unseen() const noexcept { return ended_unseen_; }

 private:
  // What a record changed of a flow, to be told when the others that came with it are in.
  struct Held {
    Flow flow;
    FlowTable::Change change;
  };

  void on_record(const FlowRecord& record);
  void on_packet(const Event& packet);
  void set_time(std::int64_t wall_ns);
  void end_due(std::int64_t now_ns, FlowTable::Due which);
  void take_last_words();
  void close_all_but(const LivingSockets& living, std::int64_t now_ns);
  void end_evicted();
  void end_evicted(FlowTable::Ended& ended);
  bool can_wait(const FlowTable::Change& change) const;
  void hold(const FlowTable::Change& change);
  void tell_held();
  void tell(const Flow& flow, const FlowTable::Change& change);
  void tell_change(const Flow& flow, const FlowTable::Change& change);
  void tell_end(const Flow& flow, EndReason reason);
  void keep(const FlowTable::Ended& ended);

  FlowSource& source_;
  Attribution& attribution_;
  FlowTable& table_;
  FlowHistory& history_;
  StreamHub& hub_;
  FlowDesk& desk_;
  Metering& metering_;
  FlowSource::RecordFn record_fn_;
  FlowSource::PacketFn packet_fn_;
  FlowTable::ResolveFn resolve_fn_;
  std::vector<Held> held_;
  std::unordered_set<FlowKey, FlowKeyHash> held_keys_;
  std::uint64_t events_processed_ = 0;
  std::uint64_t ended_unseen_ = 0;
  Tally moved_;
  bool ending_evicted_ = false;
};

}  // namespace orb8
