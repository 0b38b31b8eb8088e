// SPDX-License-Identifier: Apache-2.0
#include "core/identity/workload.h"

#include <gtest/gtest.h>

#include <utility>

namespace orb8 {
namespace {

Workload of(k8s::Controller controller, k8s::Labels labels = {}, std::string name = "pod-1") {
  k8s::Pod pod;
  pod.name = std::move(name);
  pod.controller = std::move(controller);
  pod.labels = std::move(labels);
  return workload_of(pod);
}

TEST(Workload, OfAReplicaSetIsTheDeploymentThatItIsNamedAfter) {
  EXPECT_EQ(of({"ReplicaSet", "web-api-7d9f8b6c5d"}, {{"pod-template-hash", "7d9f8b6c5d"}}),
            (Workload{"Deployment", "web-api"}));
}

TEST(Workload, OfAReplicaSetThatSomebodyMadeByHandIsThat) {
  EXPECT_EQ(of({"ReplicaSet", "web-1"}), (Workload{"ReplicaSet", "web-1"}));
  EXPECT_EQ(of({"ReplicaSet", "web-1"}, {{"pod-template-hash", "7d9f"}}),
            (Workload{"ReplicaSet", "web-1"}));
  EXPECT_EQ(of({"ReplicaSet", "7d9f"}, {{"pod-template-hash", "7d9f"}}),
            (Workload{"ReplicaSet", "7d9f"}));
}

TEST(Workload, OfARolloutsReplicaSetIsTheRollout) {
  EXPECT_EQ(of({"ReplicaSet", "web-7d9f"}, {{"rollouts-pod-template-hash", "7d9f"}}),
            (Workload{"Rollout", "web"}));
}

TEST(Workload, OfAJobIsTheCronJobThatItIsNamedAfter) {
  EXPECT_EQ(of({"Job", "backup-28337860"}), (Workload{"CronJob", "backup"}));
  EXPECT_EQ(of({"Job", "backup-1700271600"}), (Workload{"CronJob", "backup"}))
      << "as Kubernetes 1.20 names them";
}

TEST(Workload, OfAJobWithANumberOfItsOwnIsTheJob) {
  EXPECT_EQ(of({"Job", "train-1"}), (Workload{"Job", "train-1"}));
  EXPECT_EQ(of({"Job", "train-20240131a"}), (Workload{"Job", "train-20240131a"}));
  EXPECT_EQ(of({"Job", "train"}), (Workload{"Job", "train"}));
  EXPECT_EQ(of({"Job", "-28337860"}), (Workload{"Job", "-28337860"}));
}

TEST(Workload, OfAJobThatIsNamedAfterADayIsTheJob) {
  for (const auto* job :
       {"import-20240115", "import-2024011508", "import-15012024", "import-012345678",
        "import-240115123", "import-99999999", "import-9999999999", "import-25799999",
        "import-36800001", "import-028337860"}) {
    EXPECT_EQ(of({"Job", job}), (Workload{"Job", job}));
  }
}

TEST(Workload, OfAJobIsTheCronJobAtEitherEndOfTheTimesThatAreTakenForSuch) {
  for (const auto* job :
       {"backup-25800000", "backup-36800000", "backup-1500000000", "backup-1999999999"}) {
    EXPECT_EQ(of({"Job", job}), (Workload{"CronJob", "backup"}));
  }
}

TEST(Workload, OfAJobSetsJobIsTheJobSet) {
  EXPECT_EQ(of({"Job", "llama-workers-0"}, {{"jobset.sigs.k8s.io/jobset-name", "llama"}}),
            (Workload{"JobSet", "llama"}));
}

TEST(Workload, OfAGroupOfLeaderAndWorkersIsTheirSet) {
  const k8s::Labels labels = {{"leaderworkerset.sigs.k8s.io/name", "vllm"}};
  EXPECT_EQ(of({"StatefulSet", "vllm-0"}, labels), (Workload{"LeaderWorkerSet", "vllm"}));
}

TEST(Workload, OfAnyOtherControllerIsTheController) {
  for (const auto* kind : {"StatefulSet", "DaemonSet", "PyTorchJob", "RayCluster", "SparkApp"}) {
    EXPECT_EQ(of({kind, "x-28337860"}, {{"pod-template-hash", "28337860"}}),
              (Workload{kind, "x-28337860"}));
  }
}

TEST(Workload, OfAStaticPodIsItsNameWithoutTheNodes) {
  EXPECT_EQ(of({"Node", "node-1"}, {}, "kube-apiserver-node-1"),
            (Workload{"StaticPod", "kube-apiserver"}));
}

TEST(Workload, OfAPodThatNobodyControlsIsItself) {
  EXPECT_EQ(of({}, {{"pod-template-hash", "1"}}, "toolbox"), (Workload{"Pod", "toolbox"}));
}

}  // namespace
}  // namespace orb8
