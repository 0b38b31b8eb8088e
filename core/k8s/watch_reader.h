// One watch's stream of events, into the sink.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/k8s/client_status.h"
#include "core/k8s/line_splitter.h"
#include "core/k8s/parse.h"

namespace orb8::k8s {

class WatchReader {
 public:
  // Why no more of the stream is wanted.
  enum class Stop : std::uint8_t {
    kNone,
    kError,    // the server said so: error()
    kGarbage,  // a line that is no event: what it was is asked for again, once
  };

  WatchReader(Kind kind, Sink& sink, ClientStatus& status);

  // A new stream, of what came after `version`.
  void begin(std::string version);
  bool feed(std::string_view part);  // false: see stop()
  void end();                        // of a stream that is whole

  const std::string& version() const { return version_; }  // of the last event
  Stop stop() const { return stop_; }
  const ApiStatus& error() const { return error_; }
  std::uint64_t events() const { return events_; }  // of this stream

 private:
  bool take(std::string& line);
  void apply(WatchEvent event);

  Kind kind_;
  Sink& sink_;
  ClientStatus& status_;
  ObjectParser parser_;
  LineSplitter splitter_;
  std::string version_;
  std::string garbage_after_;  // the version at which garbage came the last time
  Stop stop_ = Stop::kNone;
  ApiStatus error_;
  std::uint64_t events_ = 0;
};

}  // namespace orb8::k8s
