// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_history.h"

#include <malloc.h>

#include <algorithm>

namespace orb8 {
namespace {

constexpr std::size_t kPagesToGiveBack = 64;  // about 1 MiB

}  // namespace

void HistorySnapshot::for_each(const std::function<void(const EndedFlow&)>& visit) const {
  for (std::size_t i = 0; i < size_; ++i) {
    const auto at = first_ + i;
    visit(pages_[at / HistoryPage::kRows]->rows[at % HistoryPage::kRows]);
  }
}

FlowHistory::FlowHistory(Limits limits, std::int64_t now_ns)
    : limits_(limits), complete_from_ns_(now_ns), last_moment_ns_(now_ns) {}

std::int64_t FlowHistory::moment(std::int64_t now_ns) {
  last_moment_ns_ = std::max(now_ns, last_moment_ns_ + 1);
  return last_moment_ns_;
}

void FlowHistory::add(const Flow& flow, EndReason reason, std::int64_t now_ns) {
  const auto ended_ns = moment(now_ns);
  if (limits_.max_flows == 0) {
    complete_from_ns_ = ended_ns + 1;
    return;
  }
  if (size_ == limits_.max_flows) {
    drop_oldest();
    ++overwritten_;
  }
  const auto at = first_ + size_;
  if (at == pages_.size() * HistoryPage::kRows) pages_.push_back(std::make_shared<HistoryPage>());
  auto& row = pages_.back()->rows[at % HistoryPage::kRows];
  row.flow = flow;
  row.flow.end_reason = reason;
  row.ended_ns = ended_ns;
  ++size_;
}

void FlowHistory::drop_oldest() {
  complete_from_ns_ = oldest().ended_ns + 1;
  --size_;
  if (++first_ < HistoryPage::kRows) return;
  first_ = 0;
  pages_.pop_front();
  ++freed_pages_;
}

void FlowHistory::expire(std::int64_t now_ns) {
  while (size_ > 0 && now_ns - oldest().ended_ns > limits_.max_age_ns) drop_oldest();
  // Rows of a page that is shared are not cleared: what they hold goes with the page.
  if (size_ == 0 && !pages_.empty()) {
    freed_pages_ += pages_.size();
    pages_.clear();
    first_ = 0;
  }
  give_back();
}

// malloc keeps what lies between pages in use; a burst's memory would stay with this process.
void FlowHistory::give_back() {
  if (freed_pages_ < kPagesToGiveBack) return;
  freed_pages_ = 0;
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

std::shared_ptr<const HistorySnapshot> FlowHistory::share() const {
  auto fresh = std::make_shared<HistorySnapshot>();
  fresh->pages_.assign(pages_.begin(), pages_.end());
  fresh->first_ = first_;
  fresh->size_ = size_;
  fresh->complete_from_ns_ = complete_from_ns_;
  return fresh;
}

}  // namespace orb8
