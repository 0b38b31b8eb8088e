// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace orb8 {

// A message as one line of JSON: names as in the .proto file, numbers as numbers (64-bit ones too,
// which protobuf's own printer makes strings of), enums as their word in lower case
// ("flow_start"), an optional field that is not set left out.
std::string to_json(const google::protobuf::Message& message);

}  // namespace orb8
