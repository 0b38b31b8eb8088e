// Where readers of any thread ask the pipeline's thread for the flows as they are.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "core/flow/flow_view.h"
#include "core/pipeline/desk.h"

namespace orb8 {

// A Desk whose readers say whether they want the history as well.
class FlowDesk {
 public:
  using Patience = Desk<FlowView>::Patience;

  explicit FlowDesk(std::function<void()> wake) : desk_(std::move(wake)) {}

  // As Desk::ask(). The snapshot of those alive is null where the patience was over first; the
  // history, where it was not asked for.
  FlowView ask(bool history = false, Patience patience = {}) {
    if (history) history_readers_.fetch_add(1);  // before it is wanted()
    const auto view = desk_.ask(patience);
    if (history) history_readers_.fetch_sub(1);
    return view ? *view : FlowView{};
  }

  bool wanted() const noexcept { return desk_.wanted(); }
  // `take` is asked for the present view, with the history or without.
  void answer(const std::function<FlowView(bool history)>& take) {
    desk_.answer(
        [&] { return std::make_shared<const FlowView>(take(history_readers_.load() > 0)); });
  }

  // The last answer, which all get from here on: with the history.
  void finish(FlowView view) { desk_.finish(std::make_shared<const FlowView>(std::move(view))); }

 private:
  std::atomic<std::uint32_t> history_readers_ = 0;  // who wait
  Desk<FlowView> desk_;
};

}  // namespace orb8
