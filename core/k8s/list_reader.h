// One list, page by page, into the sink.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "core/k8s/client_status.h"
#include "core/k8s/list_splitter.h"
#include "core/k8s/parse.h"

namespace orb8::k8s {

class ListReader {
 public:
  ListReader(Kind kind, Sink& sink, ClientStatus& status);

  // The first page, or the same page again after it broke off.
  void begin_list();
  void begin_page();

  // False: this is no list.
  bool feed(std::string_view part);

  // Absent: the page is not whole, or none.
  std::optional<ListHead> end_page();

  // After the last page: tells the sink that all was there.
  void end_list();

 private:
  void take(std::string& item);

  Kind kind_;
  Sink& sink_;
  ClientStatus& status_;
  ObjectParser parser_;
  ListSplitter splitter_;
  std::unordered_set<std::string> uids_;
};

}  // namespace orb8::k8s
