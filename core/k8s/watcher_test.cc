// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/watcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <optional>

#include "core/base/log_capture.h"
#include "core/k8s/recorded.h"
#include "core/k8s/recording_sink.h"
#include "core/k8s/scripted_api.h"
#include "core/k8s/temp_dir.h"

namespace orb8::k8s {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const WatchOptions kQuick = {.node = {}, .backoff = {.first = 10ms, .most = 50ms}};

bool is_watch(const httplib::Request& request) {
  return request.has_param("watch");
}
bool is_pods(const httplib::Request& request) {
  return request.path.ends_with("/pods");
}

std::string pod(const std::string& name, int version) {
  return R"({"metadata":{"name":")" + name + R"(","namespace":"n","uid":"uid-)" + name +
         R"(","resourceVersion":")" + std::to_string(version) + "\"}}";
}

std::string added(const std::string& name, int version) {
  return R"({"type":"ADDED","object":)" + pod(name, version) + "}\n";
}

std::string pod_list(int version, const std::string& items) {
  return R"({"kind":"PodList","metadata":{"resourceVersion":")" + std::to_string(version) +
         R"("},"items":[)" + items + "]}";
}

// A cluster without anything in it, where nothing happens.
Answer quiet(const httplib::Request& request) {
  if (is_watch(request)) return {.stream = std::make_shared<Stream>()};
  return {.body = pod_list(1, "")};
}

class WatcherTest : public ::testing::Test {
 protected:
  void serve(ScriptedApi::Script script) { api_.emplace(std::move(script)); }

  // Pods by the script; nothing else there.
  void serve_pods(ScriptedApi::Script script) {
    serve([script = std::move(script)](const httplib::Request& request) {
      return is_pods(request) ? script(request) : quiet(request);
    });
  }

  void start(Access access = {}, const WatchOptions& options = kQuick) {
    if (access.server.empty()) access.server = api_->url();
    auto watcher = Watcher::start(access, options, sink_);
    ASSERT_TRUE(watcher) << watcher.error().what;
    watcher_ = std::move(*watcher);
  }

  bool wait_for_pods(const std::vector<std::string>& names) {
    return sink_.wait([&] {
      std::vector<std::string> there;
      for (const auto& [name, pod] : sink_.of<Pod>()) there.push_back(name);
      return there == names;
    });
  }

  std::vector<std::string> lists() const {
    auto all = api_->asked({"/pods?"});
    std::erase_if(all, [](const std::string& target) { return target.contains("watch=1"); });
    return all;
  }
  std::vector<std::string> watches() const { return api_->asked({"/pods?watch=1"}); }

  RecordingSink sink_;
  std::optional<ScriptedApi> api_;
  std::unique_ptr<Watcher> watcher_;  // before the server it asks, and the sink it fills
};

TEST_F(WatcherTest, ListsAndFollowsAllKinds) {
  auto changes = std::make_shared<Stream>();
  serve([&](const httplib::Request& request) -> Answer {
    if (is_watch(request))
      return {.stream = is_pods(request) ? changes : std::make_shared<Stream>()};
    const auto name = request.path.substr(request.path.rfind('/') + 1);
    return {.body = recorded(name + "-list.json")};
  });
  start();
  EXPECT_TRUE(sink_.wait([&] { return watcher_->synced(); }));
  EXPECT_THAT(sink_.of<Pod>(), SizeIs(9));
  EXPECT_THAT(sink_.of<Service>(), SizeIs(7));
  EXPECT_THAT(sink_.of<Node>(), SizeIs(1));
  EXPECT_THAT(sink_.of<EndpointSlice>(), SizeIs(6));
  EXPECT_TRUE(watcher_->component().healthy) << watcher_->component().reason;
  changes->send(recorded("pods-watch.ndjson"));
  EXPECT_TRUE(sink_.wait([&] { return sink_.of<Pod>().contains("web-7c4dc945b9-9nhj6"); }));
  EXPECT_EQ(watcher_->counters().skipped_objects, 0U);
  EXPECT_EQ(watcher_->counters().failed_requests, 0U);
}

TEST_F(WatcherTest, EndsAtOnceThoughNothingArrives) {
  serve(quiet);
  start();
  ASSERT_TRUE(sink_.wait([&] { return watcher_->synced(); }));
  const auto before = std::chrono::steady_clock::now();
  watcher_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 1s);
}

TEST_F(WatcherTest, GoesOnWithoutANewListAfterAConnectionBrokeInALine) {
  auto first = std::make_shared<Stream>();
  auto second = std::make_shared<Stream>();
  std::atomic<int> watches_begun = 0;
  serve_pods([&](const httplib::Request& request) -> Answer {
    if (!is_watch(request)) return {.body = pod_list(10, pod("a", 9))};
    return {.stream = watches_begun++ == 0 ? first : second};
  });
  start();
  const auto line = added("c", 12);
  first->send(added("b", 11) + line.substr(0, line.size() / 2));
  ASSERT_TRUE(wait_for_pods({"a", "b"}));
  first->cut();
  ASSERT_TRUE(sink_.wait([&] { return watches().size() == 2; }));
  EXPECT_THAT(watches()[1], HasSubstr("resourceVersion=11&"));
  for (const char byte : line) second->send({byte});
  EXPECT_TRUE(wait_for_pods({"a", "b", "c"}));
  EXPECT_THAT(lists(), SizeIs(1));
  EXPECT_EQ(watcher_->counters().reconnects, 1U);
}

TEST_F(WatcherTest, GoesOnWithoutANewListWhenTheServerComesBack) {
  auto script = [](const httplib::Request& request) -> Answer {
    if (!is_pods(request)) return quiet(request);
    if (!is_watch(request)) return {.body = pod_list(10, pod("a", 9))};
    auto stream = std::make_shared<Stream>();
    stream->send(added("b", 11));
    return {.stream = stream};
  };
  serve(script);
  const int port = api_->port();
  start();
  ASSERT_TRUE(sink_.wait([&] { return watcher_->synced() && sink_.of<Pod>().size() == 2; }));
  api_.reset();
  EXPECT_TRUE(sink_.wait([&] { return !watcher_->component().healthy; }));
  EXPECT_THAT(watcher_->component().reason, HasSubstr("Connection refused"));
  api_.emplace(script, port);
  EXPECT_TRUE(sink_.wait([&] { return watcher_->component().healthy; }));
  EXPECT_THAT(api_->asked({"limit="}), IsEmpty());
  EXPECT_THAT(api_->asked({"/pods?watch=1", "resourceVersion=11&"}), Not(IsEmpty()));
  EXPECT_GE(watcher_->counters().failed_requests, 1U);
}

TEST_F(WatcherTest, ListsAnewAndRemovesWhatVanishedWhenTheVersionIsTooOld) {
  auto expired = std::make_shared<Stream>();
  std::atomic<int> listed = 0;
  serve_pods([&](const httplib::Request& request) -> Answer {
    if (is_watch(request)) return {.stream = listed == 1 ? expired : std::make_shared<Stream>()};
    return {.body = ++listed == 1 ? pod_list(10, pod("a", 8) + "," + pod("b", 9))
                                  : pod_list(20, pod("b", 9) + "," + pod("c", 19))};
  });
  start();
  ASSERT_TRUE(wait_for_pods({"a", "b"}));
  expired->send(recorded("410-watch.ndjson"));
  EXPECT_TRUE(wait_for_pods({"b", "c"}));
  EXPECT_THAT(lists()[1], HasSubstr("resourceVersion=10"));
  EXPECT_EQ(watcher_->counters().relists, 1U);
}

TEST_F(WatcherTest, TakesPagesAndCompressedLists) {
  serve_pods([](const httplib::Request& request) -> Answer {
    if (is_watch(request)) return quiet(request);
    if (!request.has_param("continue")) {
      return {.body = R"({"metadata":{"resourceVersion":"5","continue":"a+/="},"kind":"PodList",)"
                      R"("items":[)" +
                      pod("first", 4) + "]}"};
    }
    if (request.get_param_value("continue") != "a+/=") return {.status = 400};
    if (!request.get_header_value("Accept-Encoding").contains("gzip")) return {.status = 406};
    return {.body = recorded("pods-list.json.gz"), .headers = {{"Content-Encoding", "gzip"}}};
  });
  start();
  EXPECT_TRUE(sink_.wait([&] { return watcher_->synced(); }));
  EXPECT_THAT(sink_.of<Pod>(), AllOf(SizeIs(10), Contains(Key("first")), Contains(Key("trainer"))));
}

TEST_F(WatcherTest, LeavesAConnectionThatIsSilentForTooLong) {
  auto second = std::make_shared<Stream>();
  second->send(added("a", 2));
  std::atomic<int> watches_begun = 0;
  serve_pods([&](const httplib::Request& request) -> Answer {
    if (!is_watch(request)) return quiet(request);
    return {.stream = watches_begun++ == 0 ? std::make_shared<Stream>() : second};
  });
  auto options = kQuick;
  options.watch_idle = 200ms;
  start({}, options);
  EXPECT_TRUE(wait_for_pods({"a"}));
  EXPECT_THAT(lists(), SizeIs(1));
  EXPECT_GE(watcher_->counters().reconnects, 1U);
}

TEST_F(WatcherTest, LeavesAListThatDoesNotGoOn) {
  std::atomic<int> lists_begun = 0;
  serve_pods([&](const httplib::Request& request) -> Answer {
    if (is_watch(request)) return quiet(request);
    if (lists_begun++ > 0) return {.body = pod_list(10, pod("a", 9))};
    auto half = std::make_shared<Stream>();
    half->send(R"({"kind":"PodList","metadata":{"resourceVersion":"10"},"items":[)");
    return {.stream = half};
  });
  auto options = kQuick;
  options.list_idle = 200ms;
  start({}, options);
  EXPECT_TRUE(wait_for_pods({"a"}));
}

TEST_F(WatcherTest, WaitsAsLongAsTheServerAsks) {
  std::atomic<int> asked = 0;
  serve_pods([&](const httplib::Request& request) -> Answer {
    if (is_watch(request) || asked++ > 0) return quiet(request);
    return {.status = 429, .headers = {{"Retry-After", "1"}}};
  });
  const auto before = std::chrono::steady_clock::now();
  start();
  EXPECT_TRUE(sink_.wait([&] { return watcher_->synced(); }));
  EXPECT_GT(std::chrono::steady_clock::now() - before, 1s);
  EXPECT_EQ(watcher_->counters().failed_requests, 1U);
}

TEST_F(WatcherTest, LogsMissingRightsOnceAndWorksWhenTheyAreGiven) {
  const LogCapture log;
  std::atomic<bool> allowed = false;
  serve_pods([&](const httplib::Request& request) -> Answer {
    if (allowed) return quiet(request);
    return {.status = 403, .body = recorded("403-list-pods.json")};
  });
  start();
  ASSERT_TRUE(sink_.wait([&] { return watcher_->counters().failed_requests >= 5; }));
  const auto text = log.text();
  const std::string line =
      "warning Kubernetes: not allowed to list pods; add to the agent's "
      "ClusterRole the rule {apiGroups: [\"\"], resources: [\"pods\"]";
  EXPECT_THAT(text, HasSubstr(line));
  EXPECT_EQ(text.find("warning"), text.rfind("warning")) << text;
  EXPECT_FALSE(watcher_->component().healthy);
  EXPECT_FALSE(watcher_->synced());
  allowed = true;
  EXPECT_TRUE(sink_.wait([&] { return watcher_->component().healthy; }));
}

TEST_F(WatcherTest, LivesWithGarbage) {
  std::atomic<int> asked = 0;
  serve_pods([&](const httplib::Request& request) -> Answer {
    const int nth = asked++;
    if (nth == 0) return {.body = "<html>hello</html>"};
    if (nth == 1) return {.body = "junk", .headers = {{"Content-Encoding", "gzip"}}};
    if (!is_watch(request)) return {.body = pod_list(10, pod("a", 9) + R"(,{"metadata":[]})")};
    auto stream = std::make_shared<Stream>();
    stream->send("\x01\x02garbage\n" + added("b", 11));
    return {.stream = stream};
  });
  start();
  EXPECT_TRUE(wait_for_pods({"a", "b"}));
  EXPECT_EQ(watcher_->counters().failed_requests, 2U);
  EXPECT_EQ(watcher_->counters().skipped_objects, 2U);
}

TEST_F(WatcherTest, ReadsTheTokenAnewForEachRequest) {
  const TempDir dir;
  dir.write("token", "old\n");
  std::atomic<bool> rotated = false;
  serve([&](const httplib::Request& request) -> Answer {
    const auto token = request.get_header_value("Authorization");
    if (token != (rotated ? "Bearer new" : "Bearer old")) return {.status = 401};
    if (is_watch(request) && !rotated) {
      auto ended = std::make_shared<Stream>();
      ended->send(R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"2"}}})"
                  "\n");
      ended->end();
      return {.stream = ended};
    }
    return quiet(request);
  });
  start({.server = api_->url(), .token_file = dir.path("token")});
  ASSERT_TRUE(sink_.wait([&] { return watcher_->synced(); }));
  rotated = true;
  ASSERT_TRUE(sink_.wait([&] { return !watcher_->component().healthy; }));
  EXPECT_THAT(watcher_->component().reason, HasSubstr("credentials"));
  dir.write("token", "new\n");
  EXPECT_TRUE(sink_.wait([&] { return watcher_->component().healthy; }));
}

TEST_F(WatcherTest, RunsTheExecPluginAgainWhenItsTokenIsRefused) {
  const TempDir dir;
  dir.write("token", "old");
  dir.write_program("plugin", "echo '{\"kind\":\"ExecCredential\",\"status\":{\"token\":\"'$(cat " +
                                  dir.path("token") + ")'\"}}'\n");
  std::atomic<bool> rotated = false;
  std::atomic<int> taken_new = 0;
  serve([&](const httplib::Request& request) -> Answer {
    const auto token = request.get_header_value("Authorization");
    if (token != (rotated ? "Bearer new" : "Bearer old")) return {.status = 401};
    if (rotated) ++taken_new;
    if (is_watch(request) && !rotated) return {.stream = nullptr};  // an empty one
    return quiet(request);
  });
  start({.server = api_->url(), .exec = ExecPlugin{.command = dir.path("plugin")}});
  ASSERT_TRUE(sink_.wait([&] { return watcher_->synced(); }));
  dir.write("token", "new");
  rotated = true;
  EXPECT_TRUE(sink_.wait([&] { return taken_new >= 4; }));
  EXPECT_TRUE(sink_.wait([&] { return watcher_->component().healthy; }));
}

TEST_F(WatcherTest, EndsAtOnceThoughAPluginHangs) {
  const TempDir dir;
  dir.write_program("plugin", "touch " + dir.path("begun") + "; sleep 60\n");
  serve(quiet);
  start({.server = api_->url(), .exec = ExecPlugin{.command = dir.path("plugin")}});
  ASSERT_TRUE(sink_.wait([&] { return dir.has("begun"); }));
  const auto before = std::chrono::steady_clock::now();
  watcher_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 2s);
}

TEST_F(WatcherTest, AsksThroughTheProxyThatTheKubeconfigNames) {
  serve(quiet);
  start({.server = "http://kubernetes.invalid", .proxy = api_->url()});
  EXPECT_TRUE(sink_.wait([&] { return watcher_->synced(); }));
}

TEST_F(WatcherTest, SaysThatNobodyListens) {
  start({.server = "http://127.0.0.1:1"});
  EXPECT_TRUE(sink_.wait([&] { return watcher_->counters().failed_requests >= 4; }));
  EXPECT_THAT(watcher_->component().reason, "talk to http://127.0.0.1:1: Connection refused");
}

TEST(Watcher, RefusesAServerThatIsNoUrl) {
  RecordingSink sink;
  const auto watcher = Watcher::start({.origin = "here", .server = "https://:x"}, {}, sink);
  ASSERT_FALSE(watcher);
  EXPECT_EQ(watcher.error().code, Errc::kInvalid);
}

}  // namespace
}  // namespace orb8::k8s
