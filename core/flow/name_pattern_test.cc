// SPDX-License-Identifier: Apache-2.0
#include "core/flow/name_pattern.h"

#include <gtest/gtest.h>

namespace orb8 {
namespace {

bool name_matches(std::string_view pattern, std::string_view name) {
  const auto parsed = parse_name_pattern(pattern);
  return parsed && parsed->matches(name);
}

bool pod_matches(std::string_view pattern, std::string_view name_space, std::string_view name) {
  const auto parsed = parse_scoped_pattern(pattern);
  return parsed && parsed->matches(name_space, name);
}

bool workload_matches(std::string_view pattern, std::string_view kind, std::string_view name) {
  const auto parsed = parse_workload_pattern(pattern);
  return parsed && parsed->matches(kind, name);
}

TEST(NamePattern, IsAWholeNameOrItsBeginning) {
  EXPECT_TRUE(name_matches("web", "web"));
  EXPECT_FALSE(name_matches("web", "web-0"));
  EXPECT_TRUE(name_matches("web*", "web"));
  EXPECT_TRUE(name_matches("web-*", "web-0"));
  EXPECT_FALSE(name_matches("web-*", "web"));
  EXPECT_TRUE(name_matches("*", "anything"));
}

TEST(NamePattern, NeverMatchesNobody) {
  EXPECT_FALSE(name_matches("*", ""));
}

TEST(NamePattern, HasItsStarAtTheEndOnly) {
  for (const auto* text : {"", "*web", "w*b", "web**"}) EXPECT_FALSE(parse_name_pattern(text));
}

TEST(ScopedPattern, MayNameTheNamespaceToo) {
  EXPECT_TRUE(pod_matches("web-0", "shop", "web-0"));
  EXPECT_TRUE(pod_matches("shop/web-*", "shop", "web-0"));
  EXPECT_FALSE(pod_matches("shop/web-*", "infra", "web-0"));
  EXPECT_TRUE(pod_matches("team-*/web-0", "team-a", "web-0"));
  EXPECT_TRUE(pod_matches("shop/", "shop", "anything"));
}

TEST(ScopedPattern, RefusesWhatNamesNothing) {
  for (const auto* text : {"", "/", "/web", "a/b/c", "sh*op/web", "shop/w*b"}) {
    EXPECT_FALSE(parse_scoped_pattern(text)) << text;
  }
}

TEST(WorkloadPattern, MayNameTheKindToo) {
  EXPECT_TRUE(workload_matches("web", "Deployment", "web"));
  EXPECT_TRUE(workload_matches("deployment/web", "Deployment", "web"));
  EXPECT_TRUE(workload_matches("Deploy/web", "Deployment", "web")) << "kubectl's short name";
  EXPECT_TRUE(workload_matches("pytorchjob/train-*", "PyTorchJob", "train-7"));
  EXPECT_TRUE(workload_matches("sts/", "StatefulSet", "db"));
  EXPECT_FALSE(workload_matches("sts/web", "Deployment", "web"));
  EXPECT_FALSE(workload_matches("Deployments/web", "Deployment", "web"));
}

TEST(WorkloadPattern, RefusesWhatNamesNothing) {
  for (const auto* text : {"", "/web", "a/b/c", "deploy*/web"}) {
    EXPECT_FALSE(parse_workload_pattern(text)) << text;
  }
}

}  // namespace
}  // namespace orb8
