// A saved trace in an agent's place: lines of JSON, as orb8 wrote them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>

#include "cli/asked_facts.h"
#include "cli/backend.h"
#include "cli/line_reader.h"
#include "core/export/json_read.h"

namespace orb8 {

// Read once, from its beginning to its end: by one query or one stream.
class FileBackend final : public Backend {
 public:
  // "-" is standard input.
  static Result<std::unique_ptr<FileBackend>> open(const std::string& path);

  Result<v1::AgentStatus> status(const Patience& patience) override;  // an empty one: it has none
  Result<v1::QueryFlowsResponse> query(const v1::QueryFlowsRequest& request,
                                       const Patience& patience) override;
  Result<v1::QueryPodsResponse> pods(const v1::QueryPodsRequest& request,
                                     const Patience& patience) override;

  // All events of the file that match; of packets alone, if the request asks for them.
  Result<void> stream(const v1::StreamEventsRequest& request, const EventFn& on_event,
                      const std::stop_token& stop) override;

  bool starts_empty() const override { return false; }

  // What was passed over, in lines on `err`. False: also what could not be read.
  bool tell(std::ostream& err) const;

 private:
  FileBackend(LineReader lines, std::string name)
      : lines_(std::move(lines)), name_(std::move(name)) {}

  // Calls visit(kind) for each line that is an object, until it says false. kUnavailable: the file
  // cannot be read any further.
  template <class Visit>
  Result<void> for_each(const std::stop_token& stop, Visit visit);
  template <class Message, class Value>
  bool take(Message& message, Value& value);

  void refuse(const std::string& why);
  template <class Request>
  void look_for_what_is_asked(const Request& request);

  LineReader lines_;
  std::string name_;
  JsonReader json_;
  const char* wanted_ = "events";
  std::uint64_t others_ = 0;  // objects other than those
  std::uint64_t refused_ = 0;
  std::string first_refused_;  // "line 7: ..."
  std::uint64_t flows_left_out_ = 0;
  bool labels_asked_ = false;
  bool labels_seen_ = false;
  SourceFacts asked_;
  SourceFacts seen_;
};

}  // namespace orb8
