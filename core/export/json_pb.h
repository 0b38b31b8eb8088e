// Messages in protobuf's own JSON: for tools that read the contract, and not docs/JSON.md.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace orb8 {

// Appends the message as one object without a line's end, by the mapping that protobuf defines
// (https://protobuf.dev/programming-guides/json/): names in lowerCamelCase, enums by their full
// names, numbers of 64 bits as texts, times as nanoseconds, and no field that has its default.
void append_json_pb(const google::protobuf::Message& message, std::string& out);

}  // namespace orb8
