// What became of an exporter's records, and how it is; a change of that is a line in the log.
// SPDX-License-Identifier: Apache-2.0
#pragma once

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

  // What is wrong, one sentence; it stays until all_is_well().
  void trouble(const std::string& reason);
  void all_is_well();

  ExporterStatus status() const;

 private:
  mutable std::mutex mutex_;
  ExporterStatus status_;
};

}  // namespace orb8
