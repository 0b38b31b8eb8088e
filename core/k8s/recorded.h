// Answers of a real API server, from tests/data/k8s. For tests, which run in the source folder.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace orb8::k8s {

inline std::string recorded(const std::string& name) {
  std::ifstream file("tests/data/k8s/" + name, std::ios::binary);
  if (!file) throw std::runtime_error("no tests/data/k8s/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace orb8::k8s
