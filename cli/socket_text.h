// Who is behind a flow, and how its connection does, in words; "-" for what is not known.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/table.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

// The container's name, else the beginning of its id, else the process's name.
std::string process_text(const v1::NetworkFlow& flow);
std::string process_text(const v1::NetworkEvent& event);

// "refused"
std::string failure_text(const v1::NetworkFlow& flow);
std::string failure_text(const v1::NetworkEvent& event);

// What a wide table has of the socket: its columns, as wide as is usual, and a row's cells for
// them.
std::vector<Column> socket_columns();
Row socket_cells(const v1::NetworkFlow& flow);
Row socket_cells(const v1::NetworkEvent& event);

}  // namespace orb8
