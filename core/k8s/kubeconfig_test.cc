// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/kubeconfig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "core/k8s/base64.h"
#include "core/k8s/temp_dir.h"

namespace orb8::k8s {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

Result<Access> parse(const std::string& text) {
  return parse_kubeconfig(
      std::vector{KubeconfigFile{.path = "/home/me/.kube/config", .text = text}});
}

// One cluster, one context, and a user of whom this is said.
std::string with_user(const std::string& user) {
  return "clusters: [{name: c, cluster: {server: 'https://h:6443'}}]\n"
         "contexts: [{name: x, context: {cluster: c, user: u}}]\n"
         "current-context: x\n"
         "users:\n- name: u\n  user: " +
         user + "\n";
}

TEST(Kubeconfig, TakesTheCurrentContextsClusterAndUser) {
  const auto access = parse(R"(
apiVersion: v1
kind: Config
current-context: second
contexts:
- name: first
  context: {cluster: one, user: nobody}
- name: second
  context: {cluster: two, user: me, namespace: shop}
clusters:
- name: one
  cluster: {server: https://one}
- name: two
  cluster:
    server: https://two:6443/k8s/
    certificate-authority: pki/ca.crt
    tls-server-name: kubernetes
    proxy-url: http://proxy:3128
users:
- name: me
  user:
    client-certificate: /pki/me.crt
    client-key: ../me.key
    tokenFile: token
)");
  ASSERT_TRUE(access) << access.error().what;
  EXPECT_EQ(access->origin, "/home/me/.kube/config, context second");
  EXPECT_EQ(access->server, "https://two:6443/k8s");
  EXPECT_EQ(access->ca.file, "/home/me/.kube/pki/ca.crt");
  EXPECT_EQ(access->tls_server_name, "kubernetes");
  EXPECT_EQ(access->proxy, "http://proxy:3128");
  EXPECT_FALSE(access->insecure);
  EXPECT_EQ(access->cert.file, "/pki/me.crt");
  EXPECT_EQ(access->key.file, "/home/me/me.key");
  EXPECT_EQ(access->token_file, "/home/me/.kube/token");
}

TEST(Kubeconfig, TakesEmbeddedDataBeforeFiles) {
  const auto access = parse(
      "clusters: [{name: c, cluster: {server: 'https://h', insecure-skip-tls-verify: true, "
      "certificate-authority: a, certificate-authority-data: " +
      to_base64("the CA") +
      "}}]\n"
      "contexts: [{name: x, context: {cluster: c, user: u}}]\n"
      "current-context: x\n"
      "users: [{name: u, user: {client-certificate-data: " +
      to_base64("a cert") + ", client-key-data: " + to_base64("a key") + ", token: t}}]\n");
  ASSERT_TRUE(access) << access.error().what;
  EXPECT_EQ(access->ca, (Pem{.file = "", .text = "the CA"}));
  EXPECT_EQ(access->cert.text, "a cert");
  EXPECT_EQ(access->key.text, "a key");
  EXPECT_EQ(access->token, "t");
  EXPECT_TRUE(access->insecure);
}

TEST(Kubeconfig, TakesAnExecPlugin) {
  const auto access = parse(with_user(R"({exec: {
      apiVersion: client.authentication.k8s.io/v1beta1, command: bin/login, args: [eks, get-token],
      env: [{name: AWS_PROFILE, value: dev}], installHint: "install\nit", provideClusterInfo: true,
      interactiveMode: IfAvailable}})"));
  ASSERT_TRUE(access) << access.error().what;
  ASSERT_TRUE(access->exec);
  EXPECT_EQ(access->exec->command, "/home/me/.kube/bin/login");
  EXPECT_THAT(access->exec->args, ElementsAre("eks", "get-token"));
  EXPECT_THAT(access->exec->env, ElementsAre(std::pair("AWS_PROFILE", "dev")));
  EXPECT_EQ(access->exec->api_version, "client.authentication.k8s.io/v1beta1");
  EXPECT_EQ(access->exec->install_hint, "install it");
  EXPECT_TRUE(access->exec->wants_cluster);
  EXPECT_EQ(parse(with_user("{exec: {command: aws}}"))->exec->command, "aws");  // by PATH
}

TEST(Kubeconfig, TakesAUserWhoIsNobody) {
  for (const char* user : {"{}", "null", ""}) {
    const auto access = parse(with_user(user));
    ASSERT_TRUE(access) << access.error().what;
    EXPECT_THAT(access->token, IsEmpty());
  }
  const auto access = parse(
      "clusters: [{name: c, cluster: {server: 'http://h'}}]\n"
      "contexts: [{name: x, context: {cluster: c}}]\ncurrent-context: x\n");
  EXPECT_TRUE(access) << access.error().what;
}

TEST(Kubeconfig, TakesTheFirstOfEachNameFromSeveralFiles) {
  const std::vector<KubeconfigFile> files = {
      {.path = "/a/config",
       .text = "contexts: [{name: x, context: {cluster: c, user: u}}]\n"
               "users: [{name: u, user: {tokenFile: t}}]\n"},
      {.path = "/empty", .text = ""},
      {.path = "/b/config",
       .text = "current-context: x\n"
               "clusters: [{name: c, cluster: {server: 'https://b', certificate-authority: ca}}]\n"
               "users: [{name: u, user: {token: not-this}}]\n"},
      {.path = "/c/config",
       .text = "current-context: y\nclusters: [{name: c, cluster: {server: 'https://c'}}]\n"}};
  const auto access = parse_kubeconfig(files);
  ASSERT_TRUE(access) << access.error().what;
  EXPECT_EQ(access->server, "https://b");
  EXPECT_EQ(access->ca.file, "/b/ca");  // relative to the file that says it
  EXPECT_EQ(access->token_file, "/a/t");
  EXPECT_THAT(access->token, IsEmpty());
}

TEST(Kubeconfig, SaysInOneLineWhatIsWrong) {
  for (const auto& [text, what] : {
           std::pair<std::string, std::string>("", "no current-context"),
           {"[1, 2]", "no current-context"},
           {"current-context: x", "no context 'x'"},
           {"current-context: x\ncontexts: [{name: x, context: {cluster: c}}]", "no cluster 'c'"},
           {"a: b: c", ""},
           {"{\n\n", ""},
           {with_user("{username: me, password: p}"), "'username' is not supported"},
           {with_user("{auth-provider: {name: gcp}}"), "'auth-provider' is not supported"},
           {with_user("{as: root}"), "'as' is not supported"},
           {with_user("{exec: {args: [a]}}"), "exec has no command"},
           {with_user("{exec: {command: a, interactiveMode: Always}}"), "needs a terminal"},
           {with_user("{client-key-data: '!'}"), "client-key-data is no base64"},
           {"clusters: [{name: c, cluster: {server: 'ftp://h'}}]\ncurrent-context: x\n"
            "contexts: [{name: x, context: {cluster: c}}]\n",
            "'ftp://h' is no server"},
           {"clusters: [{name: c, cluster: {server: \"https://h\\n\"}}]\ncurrent-context: x\n"
            "contexts: [{name: x, context: {cluster: c}}]\n",
            "is no server"},
       }) {
    const auto access = parse(text);
    ASSERT_FALSE(access) << text;
    EXPECT_THAT(access.error().what,
                AllOf(StartsWith("/home/me/.kube/config: "), HasSubstr(what), Not(HasSubstr("\n"))))
        << text;
  }
}

TEST(Kubeconfig, PassesOverPathsThatDoNotExist) {
  const TempDir dir;
  dir.write("config", with_user("{token: t}"));
  const auto access = load_kubeconfig(":" + dir.path("absent") + "::" + dir.path("config"));
  ASSERT_TRUE(access) << access.error().what;
  EXPECT_EQ(access->token, "t");
  EXPECT_EQ(load_kubeconfig(dir.path("absent")).error().code, Errc::kNotFound);
  EXPECT_NE(load_kubeconfig(dir.path("")).error().code, Errc::kNotFound);  // a folder
}

}  // namespace
}  // namespace orb8::k8s
