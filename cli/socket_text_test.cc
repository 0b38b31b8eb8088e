// SPDX-License-Identifier: Apache-2.0
#include "cli/socket_text.h"

#include <gtest/gtest.h>

#include "cli/render_test_data.h"

namespace orb8 {
namespace {

TEST(SocketText, NamesTheContainerElseItsIdElseTheProcess) {
  auto flow = socket_flow_to_db<v1::NetworkFlow>();
  EXPECT_EQ(process_text(flow), "web");
  flow.clear_container_name();
  EXPECT_EQ(process_text(flow), "0123456789ab");
  flow.clear_container_id();
  EXPECT_EQ(process_text(flow), "nginx");
  flow.clear_process();
  EXPECT_EQ(process_text(flow), "-");
}

TEST(SocketText, TellsAllThatASocketKnows) {
  EXPECT_EQ(socket_cells(socket_flow_to_db<v1::NetworkFlow>()),
            (Row{"nginx", "4242", "web", "ESTABLISHED", "client", "1.2ms", "350us", "3", "1.0 KiB",
                 "4026531840", "-"}));
}

TEST(SocketText, HasACellForEachColumn) {
  EXPECT_EQ(socket_cells(v1::NetworkFlow()).size(), socket_columns().size());
}

TEST(SocketText, LeavesOpenWhatNoSocketTold) {
  for (const auto& cell : socket_cells(flow_to_db())) EXPECT_EQ(cell, "-");
}

TEST(SocketText, KnowsNoRetransmitsOfAUdpSocket) {
  auto flow = socket_flow_to_db<v1::NetworkFlow>();
  for (auto* field : {flow.mutable_role(), flow.mutable_connection_state()}) field->clear();
  flow.clear_retransmits();
  const auto cells = socket_cells(flow);
  EXPECT_EQ(cells.at(7), "-");
  EXPECT_EQ(cells.at(8), "1.0 KiB");
}

TEST(SocketText, HasTheSumsOfARowWithoutASocketOfItsOwn) {
  auto flow = socket_flow_to_db<v1::NetworkFlow>();
  flow.clear_socket_cookie();
  flow.clear_connection_state();
  const auto cells = socket_cells(flow);
  EXPECT_EQ(cells.at(3), "-");
  EXPECT_EQ(cells.at(7), "3");
  EXPECT_EQ(cells.at(8), "1.0 KiB");
}

TEST(SocketText, SaysWhyAConnectionFailed) {
  v1::NetworkEvent event;
  EXPECT_EQ(failure_text(event), "-");
  event.set_failure_reason("refused");
  EXPECT_EQ(failure_text(event), "refused");
}

}  // namespace
}  // namespace orb8
