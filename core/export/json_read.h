// Lines of JSON back into messages: what core/export/json.h wrote, a saved trace for one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/result.h"

namespace orb8 {

// Reads one line at a time. The text comes from outside: whatever it is, it is either read or
// refused.
class JsonReader {
 public:
  enum class Kind : std::uint8_t { kFlow, kEvent, kOther };

  JsonReader();
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;
  ~JsonReader();

  // Parses the line and tells what its object is. kInvalid says why it is none. The line is left as
  // it is; its capacity may grow.
  Result<Kind> parse(std::string& line);

  // Fills `message`, cleared before, with the object that was parsed last. Names that it does not
  // have are passed over, as they come with later versions; null is as good as absent; a number may
  // be written as a float, as some tools do, where it is whole. kInvalid names the field whose
  // value is not what the contract has there.
  Result<void> fill(google::protobuf::Message& message) const;

 private:
  struct Parsed;

  std::unique_ptr<Parsed> parsed_;
};

}  // namespace orb8
