// SPDX-License-Identifier: Apache-2.0
#include "core/export/file_sink.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/export/json.h"
#include "core/export/wire.h"

namespace orb8 {
namespace {

constexpr std::size_t kWriteBytes = 128UL << 10U;  // one call for about 100 records

}  // namespace

void to_wire(const Event& record, InterfaceNames& names, v1::NetworkFlow& out) {
  to_wire(record.flow, names, out);
  out.set_end_reason(std::string(to_string(record.end_reason)));
}

FileSink::FileSink(RotatingFile::Options file, Fsync fsync, std::shared_ptr<ExportTally> tally)
    : file_(std::move(file)), fsync_(fsync), tally_(std::move(tally)) {}

bool FileSink::write(std::span<const Event> records, const std::stop_token& give_up) {
  bool all = true;
  for (const auto& record : records) {
    if (give_up.stop_requested()) {
      tally_->add_dropped(static_cast<std::uint64_t>(&records.back() - &record + 1));
      all = false;
      break;
    }
    message_.Clear();
    to_wire(record, names_, message_);
    append_json(message_, lines_);
    lines_ += '\n';
    ++count_;
    if (lines_.size() >= kWriteBytes) all &= put();
  }
  all &= put();
  if (fsync_ == Fsync::kAlways) sync();
  return all;
}

bool FileSink::put() {
  if (count_ == 0) return true;
  const auto appended = file_.append(lines_);
  const auto written = static_cast<std::uint64_t>(
      std::ranges::count(std::string_view(lines_).substr(0, appended.bytes), '\n'));
  tally_->add_exported(written);
  if (appended.error) {
    tally_->add_failed(count_ - written);
    tally_->trouble(appended.error->what);
  } else {
    tally_->all_is_well();
  }
  lines_.clear();
  count_ = 0;
  return !appended.error;
}

void FileSink::interval_over() {
  if (fsync_ != Fsync::kNever) sync();
}

void FileSink::sync() {
  if (const auto ok = file_.sync(); !ok) {
    tally_->trouble(ok.error().what, ExportTally::Part::kSync);
  } else {
    tally_->all_is_well(ExportTally::Part::kSync);
  }
}

}  // namespace orb8
