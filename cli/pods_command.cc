// orb8 pods.
// SPDX-License-Identifier: Apache-2.0
#include <ostream>

#include "cli/commands.h"
#include "cli/render_pods.h"

namespace orb8 {

int run_pods(Backend& backend, const CliOptions& options, const Session& session) {
  if (!collect_first(backend, options.duration.value_or(kCollectFirst), session)) {
    return report({.what = "interrupted before there was an answer"}, session.err);
  }
  v1::QueryPodsRequest request;
  request.mutable_namespaces()->Add(options.namespaces.begin(), options.namespaces.end());
  request.mutable_pod_names()->Add(options.pods.begin(), options.pods.end());
  const auto answer = backend.pods(request, {.stop = session.stop});
  if (!answer) return report(answer.error(), session.err);
  if (!answer->kubernetes()) {
    return report({.code = Errc::kUnavailable,
                   .what = "no cluster is watched here, so that no pods are known; the setting "
                           "kube must be auto, and a cluster must be found"},
                  session.err);
  }
  render_pods(*answer, session.style, session.out);
  return 0;
}

}  // namespace orb8
