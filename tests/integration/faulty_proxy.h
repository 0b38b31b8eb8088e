// A network between a client and a server on loopback that does what it is told to do to them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <thread>

#include "core/base/unique_fd.h"

namespace orb8::integration {

// What happens to the bytes that the server sends. They are counted for each connection, from its
// beginning or from when the faults were set, whichever was later.
struct Faults {
  std::size_t cut_after = 0;     // the connection breaks after so many; 0: never
  std::size_t garble_after = 0;  // from so many on they are others; 0: never
  std::size_t piece = 0;         // at most so many each millisecond; 0: as they come
  bool stalled = false;          // none come through, and no connection ends
  bool closed = false;           // connections end, also new ones
};

// Passes TCP on to 127.0.0.1:`server_port`. Throws where it cannot begin.
class FaultyProxy {
 public:
  explicit FaultyProxy(std::uint16_t server_port);
  ~FaultyProxy();
  FaultyProxy(const FaultyProxy&) = delete;
  FaultyProxy& operator=(const FaultyProxy&) = delete;

  std::uint16_t port() const { return port_; }
  // In effect when it returns.
  void set(const Faults& faults);
  std::uint64_t accepted() const { return accepted_.load(); }  // connections so far

 private:
  struct Link {
    UniqueFd client;
    UniqueFd server;
    std::size_t bytes = 0;
  };

  void run();
  void accept_one();
  bool pass(Link& link, bool from_server);
  bool deliver(Link& link, char* data, std::size_t size) const;
  void wake() const;

  UniqueFd listener_;
  UniqueFd wake_;
  std::uint16_t server_port_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;  // of the two below
  Faults faults_;
  std::list<Link> links_;
  std::atomic<bool> stop_ = false;
  std::atomic<std::uint64_t> accepted_ = 0;
  std::thread thread_;
};

}  // namespace orb8::integration
