// The flow table beside the plainest table that does the same, over random histories.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <random>
#include <utility>
#include <vector>

#include "core/flow/flow_table.h"

namespace orb8 {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kStart = 1'700'000'000 * kSecond;

struct Totals {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  bool operator==(const Totals&) const = default;
};

struct Row {
  Totals all;
  Totals largest;  // said by the source of this incarnation
  std::uint64_t incarnation = 0;
  std::uint8_t tcp_flags = 0;
  std::int64_t first_ns = 0;
  std::int64_t last_ns = 0;
};

// What a reader sees of a flow.
struct Seen {
  Totals all;
  std::uint8_t tcp_flags = 0;
  std::int64_t first_ns = 0;
  std::int64_t last_ns = 0;
  bool operator==(const Seen&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Seen& seen) {
    return out << seen.all.packets << " packets, " << seen.all.bytes << " bytes, flags "
               << static_cast<int>(seen.tcp_flags) << ", " << seen.first_ns << " to "
               << seen.last_ns;
  }
};
using Flows = std::map<unsigned, Seen>;
using Ends = std::map<unsigned, std::pair<EndReason, Seen>>;

FlowKey key_of(unsigned n) {
  return {.src = Addr::v4(10, 0, 0, 1),
          .dst = Addr::v4(10, 0, 0, 2),
          .src_port = static_cast<std::uint16_t>(n),
          .dst_port = 80,
          .protocol = static_cast<std::uint8_t>(n % 4 == 0 ? IPPROTO_UDP : IPPROTO_TCP)};
}

// Needs times that only grow, one record at a time; then "oldest" is a matter of one field.
class Model {
 public:
  explicit Model(FlowTable::Limits limits) : limits_(limits) {}

  Totals apply(const FlowRecord& record) {
    const unsigned n = record.key.src_port;
    if (!rows_.contains(n)) {
      if (record.packets == 0 && record.bytes == 0) return {};
      if (rows_.size() == limits_.max_flows) push_out();
      rows_[n].first_ns = record.first_seen_ns;
    }
    Row& row = rows_[n];
    Totals moved = {record.packets, record.bytes};
    if (record.incarnation != 0) {
      if (row.incarnation != record.incarnation) row.largest = {};
      row.incarnation = record.incarnation;
      const Totals now = {std::max(record.packets, row.largest.packets),
                          std::max(record.bytes, row.largest.bytes)};
      moved = {now.packets - row.largest.packets, now.bytes - row.largest.bytes};
      row.largest = now;
    }
    if (moved == Totals{}) return moved;
    row.all.packets += moved.packets;
    row.all.bytes += moved.bytes;
    row.tcp_flags |= record.tcp_flags;
    row.last_ns = record.last_seen_ns;
    return moved;
  }

  Ends end_due(std::int64_t now_ns) {
    Ends ends;
    for (const auto& [n, row] : rows_) {
      const bool closed = n % 4 != 0 && (row.tcp_flags & (kTcpFin | kTcpRst)) != 0;
      const auto silent_ns = now_ns - row.last_ns;
      if (closed && silent_ns >= limits_.closed_timeout_ns) {
        ends[n] = {EndReason::kClosed, see(row)};
      } else if (silent_ns >= limits_.idle_timeout_ns) {
        ends[n] = {EndReason::kIdle, see(row)};
      }
    }
    for (const auto& [n, end] : ends) rows_.erase(n);
    return ends;
  }

  Flows flows() const {
    Flows flows;
    for (const auto& [n, row] : rows_) flows[n] = see(row);
    return flows;
  }

  std::vector<unsigned> take_evicted() { return std::exchange(evicted_, {}); }
  bool has(unsigned n) const { return rows_.contains(n); }
  std::size_t size() const { return rows_.size(); }

 private:
  static Seen see(const Row& row) { return {row.all, row.tcp_flags, row.first_ns, row.last_ns}; }

  void push_out() {
    const auto oldest = std::ranges::min_element(
        rows_, {}, [](const auto& numbered) { return numbered.second.last_ns; });
    evicted_.push_back(oldest->first);
    rows_.erase(oldest);
  }

  FlowTable::Limits limits_;
  std::map<unsigned, Row> rows_;
  std::vector<unsigned> evicted_;
};

Seen see(const Flow& flow) {
  return {{flow.packets, flow.bytes}, flow.tcp_flags, flow.first_seen_ns, flow.last_seen_ns};
}

Flows see(const FlowSnapshot& snapshot) {
  Flows flows;
  std::size_t rows = 0;
  snapshot.for_each([&](const Flow& flow) {
    ++rows;
    flows[flow.key.src_port] = see(flow);
  });
  EXPECT_EQ(rows, flows.size()) << "a flow was shown twice";
  EXPECT_EQ(rows, snapshot.size());
  return flows;
}

// One random history, told to both.
class History {
 public:
  History(unsigned seed, std::size_t max_flows)
      : random_(seed),
        limits_{.max_flows = max_flows,
                .idle_timeout_ns = 20 * kSecond,
                .closed_timeout_ns = 2 * kSecond},
        table_(limits_),
        model_(limits_),
        kernel_(max_flows * 3 / 2 + kFew) {}

  void run(int steps) {
    for (int step = 0; step < steps && !::testing::Test::HasFailure(); ++step) {
      // Most of the time all flows are about, then few: pages fill, empty and fill again.
      if (step % 1000 == 0) about_ = below(3) == 0 ? kFew : static_cast<unsigned>(kernel_.size());
      now_ns_ += 1 + below(about_ == kFew ? 400 : 2) * 1'000'000LL;
      check_record();
      if (below(20) == 0) check_ends();
      if (below(30) == 0) check_evicted();
      if (below(50) == 0) check_share();
    }
    check_share();
    for (const auto& [snapshot, flows] : held_) EXPECT_EQ(see(*snapshot), flows);
  }

 private:
  static constexpr unsigned kFew = 5;

  struct Entry {
    std::uint64_t incarnation = 0;
    Totals all;
  };

  unsigned below(unsigned n) { return std::uniform_int_distribution(0U, n - 1)(random_); }

  FlowRecord next_record() {
    const unsigned n = below(about_);
    auto& entry = kernel_[n];
    if (entry.incarnation == 0 || below(20) == 0) entry = {.incarnation = ++incarnations_};
    entry.all.packets += below(3);
    entry.all.bytes += 100ULL * below(3);
    FlowRecord record{.key = key_of(n),
                      .packets = entry.all.packets,
                      .bytes = entry.all.bytes,
                      .incarnation = entry.incarnation,
                      .first_seen_ns = now_ns_,
                      .last_seen_ns = now_ns_};
    if (below(10) == 0) record.packets -= std::min<std::uint64_t>(record.packets, below(4));
    if (below(10) == 0) record.incarnation = 0;
    if (below(30) == 0) record.tcp_flags = below(2) == 0 ? kTcpFin : kTcpRst;
    return record;
  }

  void check_record() {
    const auto record = next_record();
    const auto before = model_.has(record.key.src_port);
    const auto moved = model_.apply(record);
    const auto change = table_.apply(record, [](const FlowRecord&) { return FlowOwners{}; });
    EXPECT_EQ((Totals{change.packets, change.bytes}), moved);
    EXPECT_EQ(change.started, !before && moved != Totals{});
    EXPECT_EQ(table_.size(), model_.size());
  }

  void check_ends() {
    Ends ends;
    for (const auto& [key, told, life] : table_.due(now_ns_)) {
      const auto ended = table_.end(key, now_ns_).value_or(FlowTable::Ended{});
      EXPECT_EQ(ended.flow.key, key);
      ends[key.src_port] = {ended.reason, see(ended.flow)};
    }
    EXPECT_EQ(ends, model_.end_due(now_ns_));
  }

  void check_evicted() {
    std::vector<unsigned> evicted;
    for (const auto& ended : table_.take_evicted()) evicted.push_back(ended.flow.key.src_port);
    EXPECT_EQ(evicted, model_.take_evicted());
  }

  void check_share() {
    if (below(3) == 0) table_.tidy();
    auto snapshot = table_.share();
    auto flows = model_.flows();
    EXPECT_EQ(see(*snapshot), flows);
    if (held_.size() == 8) {
      const auto& [old, then] = held_[below(8)];
      EXPECT_EQ(see(*old), then) << "a shared snapshot changed";
      held_.erase(held_.begin() + below(8));
    }
    held_.emplace_back(std::move(snapshot), std::move(flows));
  }

  std::mt19937 random_;
  FlowTable::Limits limits_;
  FlowTable table_;
  Model model_;
  std::vector<Entry> kernel_;
  std::uint64_t incarnations_ = 0;
  unsigned about_ = 0;
  std::int64_t now_ns_ = kStart;
  std::vector<std::pair<std::shared_ptr<const FlowSnapshot>, Flows>> held_;
};

TEST(FlowTableProperty, AgreesWithAPlainTableOverRandomHistories) {
  unsigned seed = 0;
  for (const std::size_t max_flows : {1U, 2U, 40U, 128U, 129U, 700U}) {
    for (int round = 0; round < 4; ++round) {
      SCOPED_TRACE(::testing::Message() << "seed " << ++seed << ", max_flows " << max_flows);
      History(seed, max_flows).run(6000);
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace orb8
