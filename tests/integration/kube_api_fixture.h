// Tests against a real API server, one for all of a suite: a start takes seconds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/integration/kube_api.h"
#include "tests/need.h"

namespace orb8::integration {

class KubeApiFixture : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (KubeApi::is_installed()) api = std::make_unique<KubeApi>();
  }
  static void TearDownTestSuite() { api.reset(); }

  void SetUp() override {
    ORB8_NEED(api, "no kube-apiserver here: tests/e2e/kubernetes.sh api makes one");
  }

  static inline std::unique_ptr<KubeApi> api;
};

// Of the app "web", as JSON.
inline std::string pod_object(const std::string& name) {
  return nlohmann::json{{"apiVersion", "v1"},
                        {"kind", "Pod"},
                        {"metadata", {{"name", name}, {"labels", {{"app", "web"}}}}},
                        {"spec", {{"containers", {{{"name", "main"}, {"image", "web:1"}}}}}}}
      .dump();
}

inline std::string service_object(const std::string& name) {
  return nlohmann::json{{"apiVersion", "v1"},
                        {"kind", "Service"},
                        {"metadata", {{"name", name}}},
                        {"spec", {{"selector", {{"app", "web"}}}, {"ports", {{{"port", 80}}}}}}}
      .dump();
}

}  // namespace orb8::integration
