// What containers are called. Runtimes are asked by a thread of their own, so that nobody waits.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "core/base/unique_fd.h"
#include "core/identity/container_id.h"
#include "core/identity/container_lookup.h"
#include "core/model/status.h"

namespace orb8 {

struct ContainerNamesOptions {
  RuntimePaths paths;
  std::chrono::milliseconds deadline{2000};  // of one question to a runtime
  std::size_t max_names = 16384;
  std::size_t max_waiting = 1024;  // containers that a runtime is still to be asked for
  // A container without a name is asked for again, after twice the time each time.
  std::int64_t first_retry_ns = 1'000'000'000;
  std::int64_t last_retry_ns = 300'000'000'000;
};

class ContainerNames {
 public:
  explicit ContainerNames(ContainerNamesOptions options = {});
  ~ContainerNames();
  ContainerNames(const ContainerNames&) = delete;
  ContainerNames& operator=(const ContainerNames&) = delete;

  // Returns at once. Absent until known; what is not known is asked for.
  std::optional<std::string> name_of(const ContainerRef& container, std::int64_t now_ns);

  // The container is no more, its name may be dropped.
  void forget(const std::string& id);

  // Readable when questions were answered, with a name or without, since the last handle_ready().
  int fd() const { return answered_.get(); }
  void handle_ready();

  // Not healthy while there are containers whose runtime could not be asked.
  Component component() const;
  std::size_t size() const;

 private:
  struct Entry {
    std::optional<std::string> name;
    bool waiting = false;  // in the queue, or being asked for
    bool failed = false;   // the last question about it was not answered
    std::int64_t retry_ns = 0;
    std::int64_t delay_ns = 0;
    std::list<std::string>::iterator age;
  };
  using Entries = std::unordered_map<std::string, Entry>;
  void run(const std::stop_token& stop);
  void answer(const std::string& id, Result<std::optional<std::string>> name);
  Entry& entry_of(const std::string& id);
  void drop(Entries::iterator which);

  ContainerNamesOptions options_;
  UniqueFd answered_;
  UniqueFd cancel_;
  mutable std::mutex mutex_;  // of all below
  std::condition_variable_any asked_;
  std::deque<ContainerRef> queue_;
  Entries entries_;
  std::list<std::string> ages_;  // oldest in front
  std::size_t failed_ = 0;       // entries with that mark
  std::string last_error_;
  std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace orb8
