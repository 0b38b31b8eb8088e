// Messages as JSON: one object a line, in the words of the wire contract; docs/JSON.md.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace orb8 {

// Appends the message as one object, without a line's end. Names are the contract's, numbers are
// numbers, and what is absent or not known is not there. A time, which is a field in nanoseconds of
// the Unix epoch, is named without its unit and written as RFC 3339 in UTC; a name of an enum is in
// lower case; TCP flags are a list. All of it is printable ASCII: terminals obey some of the rest.
void append_json(const google::protobuf::Message& message, std::string& out);

std::string to_json(const google::protobuf::Message& message);

}  // namespace orb8
