// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/reflector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/k8s/recorded.h"
#include "core/k8s/recording_sink.h"

namespace orb8::k8s {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

// A reflector whose requests are answered by the test.
class ReflectorTest : public ::testing::Test {
 protected:
  explicit ReflectorTest(Kind kind = Kind::kPod,
                         const WatchOptions& options = {.backoff = kBackoff})
      : reflector_(kind, options, sink_, status_) {}

  static constexpr Backoff::Limits kBackoff = {.first = 1000ms, .most = 8000ms};

  // How long until the next request.
  Reflector::Clock::duration wait() const { return *reflector_.due() - Reflector::Clock::now(); }

  // The next request is answered so; returns what was asked for.
  std::string answer(int http_status, const std::string& text, const Result<void>& complete = {}) {
    const auto request = reflector_.begin();
    EXPECT_FALSE(reflector_.due());
    reflector_.head({.status = http_status, .retry_after = retry_after_});
    // In parts of a size that no line and no item has.
    bool more = true;
    for (std::size_t at = 0; at < text.size() && more; at += 997) {
      more = reflector_.body(std::string_view(text).substr(at, 997));
    }
    reflector_.end(complete);
    return request.target;
  }

  std::string refuse() {
    const auto request = reflector_.begin();
    reflector_.end(fail(Errc::kUnavailable, "connect to the server: Connection refused"));
    return request.target;
  }

  void list() { answer(200, recorded("pods-list.json")); }

  static std::string event(const std::string& type, const std::string& name, int version) {
    return R"({"type":")" + type + R"(","object":{"metadata":{"name":")" + name +
           R"(","namespace":"n","uid":"uid-)" + name + R"(","resourceVersion":")" +
           std::to_string(version) + "\"}}}\n";
  }

  static std::string error(int code) {
    return R"({"type":"ERROR","object":{"kind":"Status","code":)" + std::to_string(code) + "}}\n";
  }

  RecordingSink sink_;
  ClientStatus status_;
  Reflector reflector_;
  std::chrono::seconds retry_after_{0};
};

TEST_F(ReflectorTest, ListsFromTheCacheAndWatchesFromThere) {
  EXPECT_EQ(answer(200, recorded("pods-list.json")), "/api/v1/pods?limit=500&resourceVersion=0");
  EXPECT_THAT(sink_.of<Pod>(), SizeIs(9));
  EXPECT_EQ(sink_.lists(Kind::kPod), 1);
  EXPECT_LE(wait(), 0s);
  EXPECT_THAT(answer(200, recorded("pods-watch.ndjson")),
              StartsWith("/api/v1/pods?watch=1&allowWatchBookmarks=true&resourceVersion=2105&"
                         "timeoutSeconds="));
  const auto pods = sink_.of<Pod>();
  EXPECT_THAT(pods, SizeIs(9));  // one was added, one deleted, and two came and went
  EXPECT_THAT(pods, Contains(Key("web-7c4dc945b9-9nhj6")));
  EXPECT_THAT(pods, Not(Contains(Key("too-big"))));
  EXPECT_THAT(pods, Not(Contains(Key("visitor"))));
  EXPECT_THAT(pods.at("web-7c4dc945b9-9nhj6").ips, ElementsAre(Addr::v4(10, 244, 0, 37)));
  EXPECT_THAT(answer(200, ""), HasSubstr("resourceVersion=2261&"));  // the last bookmark's
  EXPECT_EQ(status_.counters().skipped_objects, 0U);
  EXPECT_EQ(status_.counters().relists, 0U);
}

TEST_F(ReflectorTest, ReplaysAnAddressThatIsUsedAgain) {
  list();
  const auto stream = recorded("pods-watch-address-reused.ndjson");
  const auto half = stream.find(R"({"type":"DELETED")");
  answer(200, stream.substr(0, half));
  EXPECT_TRUE(sink_.of<Pod>().at("first-bcqxd").finished);
  EXPECT_FALSE(sink_.of<Pod>().at("second").finished);
  EXPECT_EQ(sink_.of<Pod>().at("second").ips, sink_.of<Pod>().at("first-bcqxd").ips);
  answer(200, stream.substr(half));
  EXPECT_THAT(sink_.of<Pod>(), SizeIs(9));
}

TEST_F(ReflectorTest, TakesTheNextPageAndIsListedWithTheLast) {
  answer(200, recorded("pods-list-page-1.json"));
  EXPECT_EQ(sink_.lists(Kind::kPod), 0);
  EXPECT_FALSE(status_.synced());
  EXPECT_THAT(answer(200, recorded("pods-list-page-2.json")),
              StartsWith("/api/v1/pods?limit=500&continue=eyJ2Ijoi"));
  EXPECT_EQ(sink_.lists(Kind::kPod), 0);
  answer(200, R"({"kind":"PodList","metadata":{"resourceVersion":"2105"},"items":[]})");
  EXPECT_EQ(sink_.lists(Kind::kPod), 1);
  EXPECT_THAT(sink_.of<Pod>(), SizeIs(6));
  EXPECT_THAT(answer(200, ""), HasSubstr("watch=1"));
}

TEST_F(ReflectorTest, AsksForAPageAgainThatWasCutShort) {
  answer(200, recorded("pods-list-page-1.json"));
  const auto page = recorded("pods-list-page-2.json");
  const auto asked = answer(200, page.substr(0, page.size() / 2));
  EXPECT_GT(wait(), 400ms);
  EXPECT_EQ(answer(200, page, fail(Errc::kUnavailable, "read: Connection reset")), asked);
  EXPECT_EQ(answer(200, page), asked);
  EXPECT_EQ(status_.counters().failed_requests, 2U);
}

TEST_F(ReflectorTest, ListsAllAtOnceWhenAPageTokenHasExpired) {
  answer(200, recorded("pods-list-page-1.json"));
  answer(410, recorded("410-list-continue.json"));
  EXPECT_EQ(answer(200, recorded("pods-list.json")), "/api/v1/pods?resourceVersion=0");
  EXPECT_THAT(sink_.of<Pod>(), SizeIs(9));
  EXPECT_EQ(status_.counters().failed_requests, 0U);
}

TEST_F(ReflectorTest, ListsAllAtOnceWhenAPageTokenIsNotTaken) {
  answer(200, recorded("pods-list-page-1.json"));
  answer(400, R"({"kind":"Status","code":400,"message":"continue key is not valid"})");
  EXPECT_GT(wait(), 400ms);
  EXPECT_THAT(status_.component().reason, HasSubstr("continue key is not valid"));
  EXPECT_EQ(answer(200, recorded("pods-list.json")), "/api/v1/pods?resourceVersion=0");
  EXPECT_THAT(sink_.of<Pod>(), SizeIs(9));
}

TEST_F(ReflectorTest, AsksThreeTimesForAPageAtWhichTheServerFailsAndThenForAll) {
  answer(200, recorded("pods-list-page-1.json"));
  const auto asked = answer(500, recorded("500-resource-version.json"));
  EXPECT_EQ(answer(503, ""), asked);
  EXPECT_EQ(refuse(), asked) << "nobody there is no answer about the page";
  EXPECT_EQ(answer(500, ""), asked);
  EXPECT_EQ(answer(500, ""), "/api/v1/pods?resourceVersion=0");
  EXPECT_EQ(answer(200, recorded("pods-list.json")), "/api/v1/pods?resourceVersion=0");
  EXPECT_THAT(sink_.of<Pod>(), SizeIs(9));
}

TEST_F(ReflectorTest, CountsTheFailuresOfEachPageForItself) {
  answer(200, recorded("pods-list-page-1.json"));
  answer(500, "");
  answer(500, "");
  answer(200, recorded("pods-list-page-2.json"));
  const auto asked = answer(500, "");
  EXPECT_THAT(asked, HasSubstr("&continue="));
  EXPECT_EQ(answer(500, ""), asked);
  EXPECT_EQ(answer(200, recorded("pods-list-empty.json")), asked);
}

TEST_F(ReflectorTest, GoesOnFromTheLastEventAfterTheConnectionBroke) {
  list();
  const auto stream = event("ADDED", "a", 3000) + event("ADDED", "b", 3001);
  answer(200, stream.substr(0, stream.size() - 20), fail(Errc::kUnavailable, "Connection reset"));
  EXPECT_THAT(sink_.of<Pod>(), SizeIs(10));
  EXPECT_GT(wait(), 400ms);
  EXPECT_TRUE(status_.component().reason.starts_with("the first list of services"));
  EXPECT_THAT(answer(200, event("ADDED", "b", 3001)), HasSubstr("resourceVersion=3000&"));
  EXPECT_THAT(sink_.of<Pod>(), SizeIs(11));
  EXPECT_EQ(sink_.lists(Kind::kPod), 1);
  EXPECT_EQ(status_.counters().reconnects, 1U);
}

TEST_F(ReflectorTest, GoesOnWithoutAListHoweverLongTheServerIsAway) {
  list();
  for (int i = 0; i < 20; ++i) EXPECT_THAT(refuse(), HasSubstr("watch=1"));
  EXPECT_GT(wait(), 3900ms);
  EXPECT_LE(wait(), 8000ms);
  EXPECT_THAT(status_.component().reason, HasSubstr("Connection refused"));
  EXPECT_THAT(answer(200, event("ADDED", "a", 3000)), HasSubstr("resourceVersion=2105&"));
  EXPECT_THAT(status_.component().reason, Not(HasSubstr("Connection refused")));
  EXPECT_EQ(sink_.lists(Kind::kPod), 1);
}

TEST_F(ReflectorTest, ListsAnewWhenTheVersionIsTooOldAndRemovesWhatVanished) {
  for (const auto& [code, text] : {std::pair(200, recorded("410-watch.ndjson")),
                                   std::pair(410, recorded("410-list-exact.json"))}) {
    list();
    answer(code, text);
    EXPECT_GT(wait(), 400ms);
    EXPECT_EQ(answer(200, recorded("pods-list-empty.json")), "/api/v1/pods?resourceVersion=2105");
    EXPECT_THAT(sink_.of<Pod>(), IsEmpty());
    answer(410, "");
  }
  EXPECT_EQ(status_.counters().relists, 4U);
  EXPECT_EQ(status_.counters().failed_requests, 0U);
}

TEST_F(ReflectorTest, GoesOnFromTheLastEventAfterTheServerToldOfAnErrorOfItsOwn) {
  list();
  answer(200, event("ADDED", "a", 3000) + error(500));
  EXPECT_GT(wait(), 400ms);
  EXPECT_THAT(answer(200, event("ADDED", "b", 3001) + error(500)),
              HasSubstr("watch=1&allowWatchBookmarks=true&resourceVersion=3000&"));
  EXPECT_GT(wait(), 900ms);
  EXPECT_THAT(answer(503, ""), HasSubstr("resourceVersion=3001&"));
  EXPECT_THAT(answer(200, event("ADDED", "c", 3002)), HasSubstr("resourceVersion=3001&"));
  EXPECT_THAT(answer(200, error(500)), HasSubstr("resourceVersion=3002&"));
  EXPECT_THAT(answer(200, event("ADDED", "d", 3003)), HasSubstr("resourceVersion=3002&"));
  EXPECT_THAT(sink_.of<Pod>(), SizeIs(13));
  EXPECT_EQ(status_.counters().relists, 0U);
  EXPECT_EQ(sink_.lists(Kind::kPod), 1);
}

TEST_F(ReflectorTest, ListsAnewWhenTheServerTellsOfAnErrorTwiceAtTheSamePlace) {
  list();
  answer(200, event("ADDED", "a", 3000) + error(500));
  EXPECT_THAT(answer(200, error(500)), HasSubstr("watch=1"));
  EXPECT_EQ(answer(200, recorded("pods-list-empty.json")), "/api/v1/pods?resourceVersion=3000");
  EXPECT_THAT(answer(200, error(500)), HasSubstr("watch=1"));
  EXPECT_THAT(answer(200, ""), HasSubstr("watch=1")) << "it may go on from where that list was";
  EXPECT_EQ(status_.counters().relists, 1U);
}

TEST_F(ReflectorTest, AsksForTheNewestWhenTheServerCannotListFromTheLastVersion) {
  for (const auto& [code, text] : {std::pair(410, recorded("410-list-exact.json")),
                                   std::pair(504, recorded("504-future-resource-version.json"))}) {
    list();
    answer(410, "");
    answer(code, text);
    EXPECT_EQ(answer(200, recorded("pods-list-empty.json")), "/api/v1/pods?limit=500");
    answer(410, "");
  }
}

TEST_F(ReflectorTest, WaitsAsLongAsTheServerAsks) {
  retry_after_ = 7s;
  answer(429, "");
  EXPECT_GT(wait(), 7s);
  EXPECT_LT(wait(), 9s);
  retry_after_ = 24h;
  answer(503, "");
  EXPECT_LT(wait(), 6min);
  retry_after_ = 0s;
  list();
  answer(200, R"({"type":"ERROR","object":{"kind":"Status","code":429,)"
              R"("details":{"retryAfterSeconds":5}}})"
              "\n");
  EXPECT_GT(wait(), 5s);
  EXPECT_THAT(answer(200, ""), HasSubstr("watch=1"));
}

TEST_F(ReflectorTest, WaitsLongerEachTimeTheServerFails) {
  for (const auto most : {1s, 2s, 4s, 8s, 8s}) {
    answer(500, recorded("500-resource-version.json"));
    EXPECT_GT(wait(), most / 2 - 100ms);
    EXPECT_LE(wait(), most);
  }
  EXPECT_THAT(status_.component().reason,
              AllOf(HasSubstr("answered 500 when asked to list pods"), HasSubstr("Invalid value")));
}

TEST_F(ReflectorTest, ListsAnewWhenTheServerDoesNotTakeTheWatch) {
  list();
  answer(400, "what?");
  EXPECT_THAT(answer(200, ""), Not(HasSubstr("watch=1")));
}

TEST_F(ReflectorTest, NamesTheRuleThatIsMissing) {
  answer(403, recorded("403-list-pods.json"));
  EXPECT_FALSE(status_.component().healthy);
  EXPECT_THAT(
      status_.component().reason,
      AllOf(StartsWith("not allowed to list pods; add to the agent's ClusterRole the rule "
                       R"({apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"]})"),
            HasSubstr("system:serviceaccount:shop:default")));
  list();
  answer(403, recorded("403-watch-pods.json"));
  EXPECT_THAT(status_.component().reason, StartsWith("not allowed to watch pods;"));
  EXPECT_THAT(answer(200, ""), HasSubstr("watch=1"));
  answer(401, recorded("401-false-token.json"));
  EXPECT_THAT(status_.component().reason, HasSubstr("credentials"));
}

TEST_F(ReflectorTest, AsksOnceMoreForALineThatIsNoEventAndThenSkipsIt) {
  list();
  const auto stream = event("ADDED", "a", 3000) + "\x7f garbage\n" + event("ADDED", "b", 3002);
  answer(200, stream);
  EXPECT_THAT(sink_.of<Pod>(), SizeIs(10));
  EXPECT_EQ(status_.counters().skipped_objects, 0U);
  EXPECT_THAT(answer(200, stream.substr(event("ADDED", "a", 3000).size())),
              HasSubstr("resourceVersion=3000&"));
  EXPECT_THAT(sink_.of<Pod>(), SizeIs(11));
  EXPECT_EQ(status_.counters().skipped_objects, 1U);
  EXPECT_EQ(sink_.lists(Kind::kPod), 1);
}

TEST_F(ReflectorTest, SkipsMalformedObjectsAndGoesOn) {
  answer(200, R"({"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[{"metadata":7},
      {"metadata":{"uid":"1","name":"one"}},{"spec":{}}]})");
  answer(200,
         R"({"type":"MODIFIED","object":{"metadata":{"uid":"1","name":[],"resourceVersion":"2"}}})"
         "\n" +
             event("ADDED", "two", 3));
  EXPECT_THAT(sink_.of<Pod>(), ElementsAre(Key("one"), Key("two")));
  EXPECT_EQ(status_.counters().skipped_objects, 3U);
}

TEST_F(ReflectorTest, KeepsWhatItHasOfAnObjectThatIsMalformedInALaterList) {
  const std::string head = R"({"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[)";
  answer(200, head + R"({"metadata":{"uid":"1","name":"one"}}]})");
  answer(410, "");
  answer(200, head + R"({"metadata":{"uid":"1","name":[]}}]})");
  EXPECT_THAT(sink_.of<Pod>(), ElementsAre(Key("one")));
}

TEST_F(ReflectorTest, DoesNotRushWhenTheServerClosesEachWatchAtOnce) {
  list();
  answer(200, "");
  EXPECT_GT(wait(), 400ms);
  for (int i = 0; i < 5; ++i) answer(200, "");
  EXPECT_GT(wait(), 3900ms);
  EXPECT_THAT(status_.component().reason, HasSubstr("breaks off"));
}

class NodePodsTest : public ReflectorTest {
 protected:
  NodePodsTest() : ReflectorTest(Kind::kPod, {.node = "node-1", .backoff = kBackoff}) {}
};

TEST_F(NodePodsTest, AsksForItsPodsInEachRequest) {
  EXPECT_THAT(answer(200, recorded("pods-list-page-1.json")),
              EndsWith("&fieldSelector=spec.nodeName%3Dnode-1"));
  EXPECT_THAT(answer(200, recorded("pods-list.json")),
              EndsWith("&fieldSelector=spec.nodeName%3Dnode-1"));
  EXPECT_THAT(answer(200, ""), EndsWith("&fieldSelector=spec.nodeName%3Dnode-1"));
}

class EndpointSlicesTest : public ReflectorTest {
 protected:
  EndpointSlicesTest() : ReflectorTest(Kind::kEndpointSlice) {}
};

TEST_F(EndpointSlicesTest, FallBackToTheOlderApiVersion) {
  EXPECT_THAT(answer(404, "404 page not found"), StartsWith("/apis/discovery.k8s.io/v1/endpoint"));
  EXPECT_LE(wait(), 0s);
  EXPECT_THAT(answer(200, recorded("endpointslices-list.json")),
              StartsWith("/apis/discovery.k8s.io/v1beta1/endpointslices?limit=500"));
  EXPECT_THAT(sink_.of<EndpointSlice>(), SizeIs(6));
  EXPECT_THAT(answer(200, ""), StartsWith("/apis/discovery.k8s.io/v1beta1/endpointslices?watch=1"));
  EXPECT_EQ(status_.counters().failed_requests, 0U);
}

TEST_F(EndpointSlicesTest, ComeBackToTheNewerWhenNeitherIsThere) {
  answer(404, "");
  answer(404, "");
  EXPECT_GT(wait(), 400ms);
  EXPECT_THAT(answer(404, ""), StartsWith("/apis/discovery.k8s.io/v1/endpoint"));
  EXPECT_THAT(status_.component().reason, HasSubstr("answered 404 when asked to list endpoint"));
}

}  // namespace
}  // namespace orb8::k8s
