// SPDX-License-Identifier: Apache-2.0
#include "tests/netns/watcher.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <utility>

namespace orb8::netns {
namespace {

Totals to_totals(const Tally& tally) {
  return {tally.packets, tally.bytes};
}

}  // namespace

Watcher::Watcher(const NetNs& ns, TcSource::Options options) : ns_(ns) {
  const auto here = ns_.enter();
  auto source = TcSource::open(std::move(options));
  if (!source) throw std::runtime_error(source.error().what);
  source_ = std::move(*source);
}

Watcher::~Watcher() {
  const auto here = ns_.enter();
  source_.reset();
}

const Ledger& Watcher::read() {
  const auto here = ns_.enter();
  auto ok = source_->collect([this](const FlowRecord& record) { ledger_.add(record); });
  if (!ok) throw std::runtime_error(ok.error().what);
  constexpr std::size_t kBatch = 1024;
  while (read_ready(kBatch) == kBatch) {
  }
  return ledger_;
}

std::size_t Watcher::read_ready(std::size_t most) {
  const auto here = ns_.enter();
  return source_->handle_ready(
      most, [this](const FlowRecord& record) { ledger_.add(record); },
      [this](const Event& packet) { packets_.push_back(packet); });
}

void Watcher::forget(std::span<const FlowKey> keys) {
  std::vector<ToldFlow> flows;
  for (const auto& key : keys) flows.push_back({.key = key, .told = {}});
  source_->forget(flows, [this](const FlowRecord& record) { ledger_.add(record); });
}

void Watcher::want_packets(std::vector<PacketFilter> filters) {
  if (auto ok = source_->want_packets(filters); !ok) throw std::runtime_error(ok.error().what);
}

Totals Watcher::flow(const FlowKey& key, const Totals& wanted) {
  return settled([&] { return read().of(key); }, wanted);
}

Totals Watcher::everything() {
  const auto total = read().total();
  const auto rest = accounting();
  return total + to_totals(rest.not_ip) + to_totals(rest.truncated) + to_totals(rest.unparsed) +
         to_totals(rest.lost) + to_totals(rest.own);
}

void expect_all_accounted(Watcher& watcher, const NetNs& ns, const std::string& interface) {
  // A look at both takes time, and MLD comes when it wants: look until they agree.
  Totals accounted;
  Totals counted;
  eventually([&] {
    accounted = watcher.everything();
    counted = counters_of(ns, interface).all();
    return accounted == counted;
  });
  EXPECT_EQ(accounted, counted);
  EXPECT_EQ(watcher.accounting().truncated.packets, 0U);
  EXPECT_EQ(watcher.accounting().unparsed.packets, 0U);
}

}  // namespace orb8::netns
