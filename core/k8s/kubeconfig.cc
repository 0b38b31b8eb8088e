// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/kubeconfig.h"

#include <yaml-cpp/yaml.h>

#include <exception>
#include <filesystem>
#include <optional>
#include <vector>

#include "core/base/read_file.h"
#include "core/k8s/base64.h"
#include "core/k8s/problem.h"

namespace orb8::k8s {
namespace {

constexpr std::size_t kMaxFileBytes = 4U << 20U;

struct File {
  std::string path;
  YAML::Node root;
};

// An entry of the lists `clusters`, `users` and `contexts`: a name, and what is said of it.
struct Entry {
  const File* file = nullptr;
  YAML::Node says;
};

// Wrong on the way through a file; turned into a Result before it leaves this one.
struct Wrong {
  Error error;
};

[[noreturn]] void refuse(Errc code, const std::string& what) {
  throw Wrong{{code, 0, what}};
}

YAML::Node member(const YAML::Node& node, const char* key) {
  return node.IsDefined() && node.IsMap() ? node[key] : YAML::Node(YAML::NodeType::Undefined);
}

std::string text_of(const YAML::Node& node, const char* key) {
  const auto value = member(node, key);
  return value.IsDefined() && value.IsScalar() ? value.Scalar() : "";
}

bool flag_of(const YAML::Node& node, const char* key) {
  return text_of(node, key) == "true";
}

class Merged {
 public:
  explicit Merged(std::vector<File> files) : files_(std::move(files)) {}

  Access access() const {
    const auto context_name = current_context();
    const auto context = entry("contexts", "context", context_name);
    Access access;
    access.origin = context.file->path + ", context " + one_line(context_name);
    read_cluster(entry("clusters", "cluster", text_of(context.says, "cluster")), access);
    // A context without a user asks as nobody.
    const auto user = text_of(context.says, "user");
    if (!user.empty()) read_user(entry("users", "user", user), access);
    return access;
  }

 private:
  std::string names() const {
    std::string all;
    for (const auto& file : files_) {
      if (!all.empty()) all += ", ";
      all += file.path;
    }
    return all;
  }

  std::string current_context() const {
    for (const auto& file : files_) {
      if (auto name = text_of(file.root, "current-context"); !name.empty()) return name;
    }
    refuse(Errc::kInvalid,
           names() + ": no current-context; choose one with `kubectl config use-context`");
  }

  Entry entry(const char* list, const char* what, const std::string& name) const {
    for (const auto& file : files_) {
      const auto items = member(file.root, list);
      if (!items.IsDefined() || !items.IsSequence()) continue;
      for (const auto& item : items) {
        if (text_of(item, "name") == name) return {.file = &file, .says = member(item, what)};
      }
    }
    refuse(Errc::kInvalid, names() + ": no " + what + " '" + one_line(name) + "' under " + list);
  }

  static std::string resolved(const File& file, const std::string& path) {
    if (path.empty()) return path;
    return (std::filesystem::path(file.path).parent_path() / path).lexically_normal().string();
  }

  // The key's value is a path; with -data behind it, base64 of the text, which goes first.
  static Pem pem_of(const Entry& entry, const std::string& key) {
    const auto data = text_of(entry.says, (key + "-data").c_str());
    if (data.empty()) {
      return {.file = resolved(*entry.file, text_of(entry.says, key.c_str())), .text = {}};
    }
    auto text = from_base64(data);
    if (!text) refuse(Errc::kInvalid, entry.file->path + ": " + key + "-data is no base64");
    return {.file = {}, .text = std::move(*text)};
  }

  static void read_cluster(const Entry& cluster, Access& access) {
    access.server = text_of(cluster.says, "server");
    while (access.server.ends_with('/')) access.server.pop_back();
    const bool web = access.server.starts_with("https://") || access.server.starts_with("http://");
    if (!web || access.server != one_line(access.server) || access.server.contains(' ')) {
      refuse(Errc::kInvalid, cluster.file->path + ": '" + one_line(access.server) +
                                 "' is no server; https://host:port is");
    }
    access.ca = pem_of(cluster, "certificate-authority");
    access.insecure = flag_of(cluster.says, "insecure-skip-tls-verify");
    access.tls_server_name = text_of(cluster.says, "tls-server-name");
    access.proxy = text_of(cluster.says, "proxy-url");
  }

  static void read_user(const Entry& user, Access& access) {
    access.cert = pem_of(user, "client-certificate");
    access.key = pem_of(user, "client-key");
    access.token = text_of(user.says, "token");
    access.token_file = resolved(*user.file, text_of(user.says, "tokenFile"));
    for (const auto* key : {"username", "auth-provider", "as"}) {
      if (!member(user.says, key).IsDefined()) continue;
      refuse(Errc::kUnsupported, user.file->path + ": a user with '" + key +
                                     "' is not supported; use a client certificate, a token or an "
                                     "exec plugin");
    }
    const auto exec = member(user.says, "exec");
    if (exec.IsDefined() && exec.IsMap()) access.exec = exec_of(*user.file, exec);
  }

  static ExecPlugin exec_of(const File& file, const YAML::Node& exec) {
    ExecPlugin plugin{.command = text_of(exec, "command"),
                      .args = {},
                      .env = {},
                      .api_version = text_of(exec, "apiVersion"),
                      .install_hint = one_line(text_of(exec, "installHint")),
                      .wants_cluster = flag_of(exec, "provideClusterInfo")};
    if (plugin.command.empty()) refuse(Errc::kInvalid, file.path + ": exec has no command");
    if (text_of(exec, "interactiveMode") == "Always") {
      refuse(Errc::kUnsupported, file.path + ": the exec plugin " + one_line(plugin.command) +
                                     " needs a terminal (interactiveMode: Always)");
    }
    if (plugin.command.contains('/')) plugin.command = resolved(file, plugin.command);
    for (const auto& arg : member(exec, "args")) {
      if (arg.IsScalar()) plugin.args.push_back(arg.Scalar());
    }
    for (const auto& variable : member(exec, "env")) {
      plugin.env.emplace_back(text_of(variable, "name"), text_of(variable, "value"));
    }
    return plugin;
  }

  std::vector<File> files_;
};

std::vector<std::string> split_paths(std::string_view paths) {
  std::vector<std::string> found;
  while (!paths.empty()) {
    const auto colon = paths.find(':');
    if (colon != 0) found.emplace_back(paths.substr(0, colon));
    if (colon == std::string_view::npos) break;
    paths.remove_prefix(colon + 1);
  }
  return found;
}

}  // namespace

Result<Access> parse_kubeconfig(std::span<const KubeconfigFile> files) {
  std::vector<File> parsed;
  std::string_view current;
  try {
    for (const auto& file : files) {
      current = file.path;
      parsed.push_back({.path = file.path, .root = YAML::Load(file.text)});
    }
    return Merged(std::move(parsed)).access();
  } catch (const Wrong& wrong) {
    return std::unexpected(wrong.error);
  } catch (const std::exception& error) {  // of yaml-cpp; it knows the line
    return fail(Errc::kInvalid, std::string(current) + ": " + one_line(error.what()));
  }
}

Result<Access> load_kubeconfig(std::string_view paths) {
  std::vector<KubeconfigFile> files;
  for (auto& path : split_paths(paths)) {
    auto text = read_file(path, kMaxFileBytes, "read the kubeconfig " + path);
    if (text) {
      files.push_back({.path = std::move(path), .text = std::move(*text)});
    } else if (text.error().code != Errc::kNotFound) {
      return std::unexpected(text.error());
    }
  }
  if (files.empty()) {
    return fail(Errc::kNotFound,
                "read the kubeconfig " + std::string(paths) + ": No such file or directory");
  }
  return parse_kubeconfig(files);
}

}  // namespace orb8::k8s
