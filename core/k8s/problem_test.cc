// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/problem.h"

#include <gtest/gtest.h>

namespace orb8::k8s {
namespace {

TEST(OneLine, KeepsTheWordsAndNothingElse) {
  EXPECT_EQ(one_line("<html>\r\n\t<b>502</b>\x1b[31m \n\n Bad"), "<html> <b>502</b> [31m Bad");
  EXPECT_EQ(one_line(std::string(1000, 'x')), std::string(200, 'x') + "...");
  EXPECT_EQ(one_line(""), "");
}

TEST(Problem, NamesTheApiGroupInTheRule) {
  EXPECT_EQ(problem_of(403, "", "watch", Kind::kEndpointSlice),
            "not allowed to watch endpointslices; add to the agent's ClusterRole the rule "
            R"({apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], )"
            R"(verbs: ["list", "watch"]})");
  EXPECT_EQ(problem_of(502, "Bad\nGateway", "list", Kind::kNode),
            "the API server answered 502 when asked to list nodes (Bad Gateway)");
}

}  // namespace
}  // namespace orb8::k8s
