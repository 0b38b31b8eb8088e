// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/access.h"

#include <unistd.h>

#include <cstdlib>

#include "core/k8s/kubeconfig.h"

namespace orb8::k8s {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? "" : value;
}

Access in_cluster(const AccessPlaces& places) {
  const bool v6 = places.service_host.contains(':');
  const auto host = v6 ? "[" + places.service_host + "]" : places.service_host;
  return {.origin = "the pod's service account",
          .server = "https://" + host + ":" + places.service_port,
          .ca = {.file = places.service_account + "/ca.crt", .text = {}},
          .token_file = places.service_account + "/token"};
}

}  // namespace

AccessPlaces AccessPlaces::of_process() {
  return {.kubeconfig = variable("KUBECONFIG"),
          .service_host = variable("KUBERNETES_SERVICE_HOST"),
          .service_port = variable("KUBERNETES_SERVICE_PORT"),
          .home = variable("HOME")};
}

Result<Access> find_access(const AccessPlaces& places) {
  if (!places.kubeconfig.empty()) {
    auto access = load_kubeconfig(places.kubeconfig);
    if (access || access.error().code != Errc::kNotFound) return access;
    return fail(Errc::kUnavailable, "find the API server: there is no file " + places.kubeconfig +
                                        ", which KUBECONFIG names");
  }
  // A pod may have the variables and no token: automountServiceAccountToken: false.
  const bool in_pod = !places.service_host.empty() && !places.service_port.empty();
  if (in_pod && ::access((places.service_account + "/token").c_str(), F_OK) == 0) {
    return in_cluster(places);
  }
  if (!places.home.empty()) {
    auto access = load_kubeconfig(places.home + "/.kube/config");
    if (access || access.error().code != Errc::kNotFound) return access;
  }
  if (in_pod) {
    return fail(Errc::kUnavailable,
                "find the API server: this pod has no service account token "
                "(automountServiceAccountToken), no KUBECONFIG and no ~/.kube/config");
  }
  return fail(Errc::kNotFound,
              "find the API server: this is no pod, KUBECONFIG is not set, and there is no "
              "~/.kube/config");
}

}  // namespace orb8::k8s
