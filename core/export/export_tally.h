// What became of an exporter's records, and how it is; a change of that is a line in the log.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>

#include "core/model/status.h"

namespace orb8 {

// Any thread.
class ExportTally {
 public:
  ExportTally(std::string name, std::string target);

  void add_exported(std::uint64_t count);
  void add_dropped(std::uint64_t count);
  void add_failed(std::uint64_t count);

  // What may be wrong by itself: records that are taken make no full queue well, nor a disk that
  // says it keeps nothing.
  enum class Part : std::uint8_t { kPlace, kQueue, kSync };

  // What is wrong, one sentence; it stays until all_is_well() of the same part.
  void trouble(const std::string& reason, Part part = Part::kPlace);
  void all_is_well(Part part = Part::kPlace);

  ExporterStatus status() const;

 private:
  mutable std::mutex mutex_;
  ExporterStatus status_;                // without health and reason
  std::array<std::string, 3> troubles_;  // of each part; empty: it is well
};

}  // namespace orb8
