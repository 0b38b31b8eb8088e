// SPDX-License-Identifier: Apache-2.0
#include "core/export/export_tally.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace orb8 {

ExportTally::ExportTally(std::string name, std::string target)
    : status_{.name = std::move(name), .target = std::move(target)} {}

void ExportTally::add_exported(std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  status_.exported += count;
}

void ExportTally::add_dropped(std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  status_.dropped += count;
}

void ExportTally::add_failed(std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  status_.failed += count;
}

void ExportTally::trouble(const std::string& reason, Part part) {
  std::string name;
  {
    const std::lock_guard lock(mutex_);
    auto& known = troubles_.at(std::to_underlying(part));
    if (known == reason) return;
    known = reason;
    name = status_.name;
  }
  spdlog::warn("Export {}: {}", name, reason);
}

void ExportTally::all_is_well(Part part) {
  {
    const std::lock_guard lock(mutex_);
    auto& known = troubles_.at(std::to_underlying(part));
    if (known.empty()) return;
    known.clear();
  }
  const auto now = status();
  if (!now.healthy) return;  // of something else
  spdlog::info("Export {} goes on: so far {} exported, {} dropped, {} failed", now.name,
               now.exported, now.dropped, now.failed);
}

ExporterStatus ExportTally::status() const {
  const std::lock_guard lock(mutex_);
  auto now = status_;
  for (const auto& trouble : troubles_) {
    if (trouble.empty()) continue;
    now.healthy = false;
    now.reason += (now.reason.empty() ? "" : "; ") + trouble;
  }
  return now;
}

}  // namespace orb8
