// Messages as lines for programs: -o json and -o jsonpb.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "cli/options.h"
#include "core/export/json.h"
#include "core/export/json_pb.h"

namespace orb8 {

// Appends the message as a line of its own, in either form.
inline void append_json_line(const google::protobuf::Message& message, OutputFormat output,
                             std::string& out) {
  output == OutputFormat::kJsonpb ? append_json_pb(message, out) : append_json(message, out);
  out += '\n';
}

inline std::string json_line(const google::protobuf::Message& message, OutputFormat output) {
  std::string line;
  append_json_line(message, output, line);
  return line;
}

}  // namespace orb8
