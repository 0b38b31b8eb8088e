// Flow records as lines of JSON in a file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "core/export/export_tally.h"
#include "core/export/flow_sink.h"
#include "core/export/interface_names.h"
#include "core/export/rotating_file.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

// Each a `flow` as docs/JSON.md has it, with `end_reason` where it is the last. While the file
// cannot be written, because of a full disk for one, records are counted as failed and it is tried
// again with each batch.
class FileSink final : public FlowSink {
 public:
  enum class Fsync : std::uint8_t { kNever, kInterval, kAlways };

  FileSink(RotatingFile::Options file, Fsync fsync, std::shared_ptr<ExportTally> tally);

  bool write(std::span<const Event> records, const std::stop_token& give_up) override;
  bool flush(const std::stop_token& /*give_up*/) override { return true; }
  void interval_over() override;

 private:
  bool put();
  void sync();

  RotatingFile file_;
  Fsync fsync_;
  std::shared_ptr<ExportTally> tally_;
  InterfaceNames names_;
  v1::NetworkFlow message_;
  std::string lines_;
  std::size_t count_ = 0;  // of lines
};

// As both the file and a reader of the wire have it.
void to_wire(const Event& record, InterfaceNames& names, v1::NetworkFlow& out);

}  // namespace orb8
