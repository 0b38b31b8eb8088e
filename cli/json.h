// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace orb8 {

// A message as one line of ASCII JSON: all names as in the .proto file, those of enum values too,
// numbers as numbers (64-bit ones too, which protobuf's own printer makes strings of), and an
// optional field or a message that is not set left out.
std::string to_json(const google::protobuf::Message& message);

}  // namespace orb8
