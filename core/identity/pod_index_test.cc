// SPDX-License-Identifier: Apache-2.0
#include "core/identity/pod_index.h"

#include <gtest/gtest.h>

#include "core/identity/kube_test_data.h"

namespace orb8 {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
const Addr kIp = Addr::v4(10, 244, 0, 7);
const Addr kOther = Addr::v4(10, 244, 0, 8);
const std::string kId(64, 'a');

std::string name_of(const KnownPodRef* pod) {
  return pod == nullptr ? "nobody" : (*pod)->endpoint.name;
}

TEST(PodIndex, FindsAPodByEachOfItsAddressesByContainerAndByUid) {
  PodIndex index({});
  auto web = pod("u1", "web", {kIp, ip("fd00::7")});
  web.containers = {{"nginx", kId}, {"not-started", ""}};
  ASSERT_TRUE(index.set(web, "zone-a"));
  EXPECT_EQ(name_of(index.by_ip(kIp)), "web");
  EXPECT_EQ(name_of(index.by_ip(ip("fd00::7"))), "web");
  EXPECT_EQ(name_of(index.by_container(kId)), "web");
  EXPECT_EQ(name_of(index.by_container("")), "nobody");
  EXPECT_EQ(name_of(index.by_uid("u1")), "web");
  EXPECT_EQ(name_of(index.by_cgroup_uid("u1")), "web");
  EXPECT_EQ(name_of(index.by_ip(kOther)), "nobody");
  EXPECT_EQ((*index.by_uid("u1"))->endpoint.zone, "zone-a");
}

TEST(PodIndex, SaysWhetherASetChangedAnything) {
  PodIndex index({});
  EXPECT_TRUE(index.set(pod("u1", "web", {kIp}), ""));
  EXPECT_FALSE(index.set(pod("u1", "web", {kIp}), ""));
  EXPECT_TRUE(index.set(pod("u1", "web", {kOther}), ""));
}

TEST(PodIndex, LetsGoOfWhatAPodDoesNotHaveAnyMore) {
  PodIndex index({});
  auto web = pod("u1", "web", {kIp});
  web.containers = {{"nginx", kId}};
  index.set(web, "");
  web.ips = {kOther};
  web.containers = {{"nginx", std::string(64, 'b')}};
  index.set(web, "");
  EXPECT_EQ(name_of(index.by_ip(kIp)), "nobody");
  EXPECT_EQ(name_of(index.by_container(kId)), "nobody");
  EXPECT_EQ(name_of(index.by_ip(kOther)), "web");
  EXPECT_EQ(name_of(index.by_container(std::string(64, 'b'))), "web");
}

TEST(PodIndex, GivesAReusedAddressToThePodThatStartedLastWhateverCameFirst) {
  PodIndex index({});
  index.set(pod("u2", "new", {kIp}, 20), "");
  index.set(pod("u1", "old", {kIp}, 10), "");
  EXPECT_EQ(name_of(index.by_ip(kIp)), "new");
}

TEST(PodIndex, KeepsTheNewPodsAddressWhenTheOldOneIsDeleted) {
  PodIndex index({});
  index.set(pod("u1", "old", {kIp}, 10), "");
  index.set(pod("u2", "new", {kIp}, 20), "");
  ASSERT_TRUE(index.gone("u1", 0));
  EXPECT_EQ(name_of(index.by_ip(kIp)), "new");
  ASSERT_TRUE(index.expire(60 * kSecond));
  EXPECT_EQ(name_of(index.by_ip(kIp)), "new");
}

TEST(PodIndex, GivesAnAddressToAPodThatLivesBeforeOneThatWasDeleted) {
  PodIndex index({});
  index.set(pod("u1", "deleted", {kIp}, 20), "");
  index.gone("u1", 0);
  EXPECT_EQ(name_of(index.by_ip(kIp)), "deleted");
  index.set(pod("u2", "lives", {kIp}, 10), "");
  EXPECT_EQ(name_of(index.by_ip(kIp)), "lives");
}

TEST(PodIndex, TakesAFinishedPodsAddressAwayButNotItsName) {
  PodIndex index({});
  auto job = pod("u1", "job", {kIp});
  job.containers = {{"main", kId}};
  index.set(job, "");
  job.finished = true;
  index.set(job, "");
  EXPECT_EQ(name_of(index.by_ip(kIp)), "nobody");
  EXPECT_EQ(name_of(index.by_container(kId)), "job");
  EXPECT_EQ(name_of(index.by_uid("u1")), "job");
}

TEST(PodIndex, KeepsADeletedPodForTheGracePeriod) {
  PodIndex index({.grace_ns = 60 * kSecond});
  auto web = pod("u1", "web", {kIp});
  web.containers = {{"nginx", kId}};
  index.set(web, "");
  index.gone("u1", 100 * kSecond);
  EXPECT_EQ(index.size(), 0U);
  EXPECT_FALSE(index.expire(160 * kSecond - 1));
  EXPECT_EQ(name_of(index.by_ip(kIp)), "web");
  EXPECT_EQ(name_of(index.by_container(kId)), "web");
  EXPECT_TRUE(index.expire(160 * kSecond));
  EXPECT_EQ(name_of(index.by_ip(kIp)), "nobody");
  EXPECT_EQ(name_of(index.by_container(kId)), "nobody");
  EXPECT_EQ(name_of(index.by_uid("u1")), "nobody");
}

TEST(PodIndex, StartsTheGracePeriodOnce) {
  PodIndex index({.grace_ns = 60 * kSecond});
  index.set(pod("u1", "web", {kIp}), "");
  EXPECT_TRUE(index.gone("u1", 0));
  EXPECT_FALSE(index.gone("u1", 30 * kSecond));
  EXPECT_TRUE(index.expire(60 * kSecond));
}

TEST(PodIndex, TakesADeletedPodBackThatIsSetAgain) {
  PodIndex index({.grace_ns = 60 * kSecond});
  index.set(pod("u1", "web", {kIp}), "");
  index.gone("u1", 0);
  EXPECT_TRUE(index.set(pod("u1", "web", {kIp}), ""));
  EXPECT_FALSE(index.expire(1000 * kSecond));
  EXPECT_EQ(index.size(), 1U);
}

TEST(PodIndex, TellsApartPodsThatHadTheSameNameOneAfterTheOther) {
  PodIndex index({});
  index.set(pod("u1", "db-0", {kIp}, 10), "");
  index.set(pod("u2", "db-0", {kOther}, 20), "");
  index.gone("u1", 0);
  EXPECT_EQ((*index.by_ip(kOther))->endpoint.uid, "u2");
  EXPECT_EQ((*index.by_ip(kIp))->endpoint.uid, "u1");
  index.expire(61 * kSecond);
  EXPECT_EQ(name_of(index.by_ip(kIp)), "nobody");
  EXPECT_EQ((*index.by_ip(kOther))->endpoint.uid, "u2");
}

TEST(PodIndex, FindsAPodOfTheHostsNetworkByItsContainerAndNeverByTheNodesAddress) {
  PodIndex index({});
  auto agent = pod("u1", "agent", {kIp});
  agent.host_network = true;
  agent.containers = {{"main", kId}};
  index.set(agent, "");
  EXPECT_EQ(name_of(index.by_ip(kIp)), "nobody");
  EXPECT_EQ(name_of(index.by_container(kId)), "agent");
  EXPECT_EQ(name_of(index.by_cgroup_uid("u1")), "agent");
}

TEST(PodIndex, FindsAStaticPodByWhatItsCgroupIsNamedAfter) {
  PodIndex index({});
  auto mirror = pod("mirror-uid", "kube-apiserver-node-1", {kIp});
  mirror.static_uid = "0123456789abcdef0123456789abcdef";
  index.set(mirror, "");
  EXPECT_EQ(name_of(index.by_cgroup_uid(mirror.static_uid)), "kube-apiserver-node-1");
  EXPECT_EQ(name_of(index.by_uid(mirror.static_uid)), "nobody");

  auto again = mirror;  // a mirror that somebody deleted is made anew
  again.uid = "another-uid";
  again.start_ns = 2;
  index.set(again, "");
  index.gone("mirror-uid", 0);
  index.expire(61 * kSecond);
  EXPECT_EQ((*index.by_cgroup_uid(mirror.static_uid))->endpoint.uid, "another-uid");
}

TEST(PodIndex, TakesADeletionOfAPodThatItNeverSaw) {
  PodIndex index({});
  EXPECT_FALSE(index.gone("u1", 0));
  EXPECT_FALSE(index.expire(61 * kSecond));
}

TEST(PodIndex, DropsWhatAListDoesNotHave) {
  PodIndex index({});
  index.set(pod("u1", "stays", {kIp}), "");
  index.set(pod("u2", "vanished", {kOther}), "");
  index.keep({"u1"}, 0);
  EXPECT_EQ(index.size(), 1U);
  index.expire(61 * kSecond);
  EXPECT_EQ(name_of(index.by_uid("u2")), "nobody");
  EXPECT_EQ(name_of(index.by_uid("u1")), "stays");
}

TEST(PodIndex, MakesRoomByDroppingDeletedThenFinishedPodsThenThoseOfOtherNodes) {
  PodIndex index({.max_pods = 4, .node = "node-1"});
  index.set(pod("here", "here", {}), "");
  auto elsewhere = pod("elsewhere", "elsewhere", {});
  elsewhere.node = "node-2";
  index.set(elsewhere, "");
  auto finished = pod("finished", "finished", {});
  finished.finished = true;
  index.set(finished, "");
  index.set(pod("deleted", "deleted", {}), "");
  index.gone("deleted", 0);

  index.set(pod("u1", "1", {}), "");
  EXPECT_EQ(index.by_uid("deleted"), nullptr);
  index.set(pod("u2", "2", {}), "");
  EXPECT_EQ(index.by_uid("finished"), nullptr);
  EXPECT_EQ(index.evicted(), 0U) << "nothing that runs lost its name";
  index.set(pod("u3", "3", {}), "");
  EXPECT_EQ(index.by_uid("elsewhere"), nullptr);
  EXPECT_EQ(index.evicted(), 1U);
  index.set(pod("u4", "4", {}), "");
  EXPECT_EQ(index.by_uid("here"), nullptr) << "the oldest";
  EXPECT_EQ(index.evicted(), 2U);
  EXPECT_EQ(index.size(), 4U);
}

TEST(PodIndex, KeepsLabelsWhereTheyAreAskedFor) {
  auto web = pod("u1", "web", {kIp});
  web.labels = {{"app", "web"}};
  PodIndex without({});
  without.set(web, "");
  EXPECT_TRUE((*without.by_uid("u1"))->endpoint.labels.empty());
  PodIndex with({.labels = true});
  with.set(web, "");
  EXPECT_EQ((*with.by_uid("u1"))->endpoint.labels, web.labels);
}

TEST(PodIndex, KeepsAPodsZoneWhenItsNodeIsGone) {
  PodIndex index({});
  index.set(pod("u1", "web", {kIp}), "zone-a");
  index.set(pod("u1", "web", {kOther}), "");
  EXPECT_EQ((*index.by_uid("u1"))->endpoint.zone, "zone-a");
}

}  // namespace
}  // namespace orb8
