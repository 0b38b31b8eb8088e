// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/exec_credential.h"

#include <utility>

#include "core/base/read_file.h"
#include "core/base/rfc3339.h"
#include "core/k8s/base64.h"
#include "core/k8s/json.h"
#include "core/k8s/problem.h"

namespace orb8::k8s {
namespace {

constexpr std::size_t kMaxCaBytes = 1U << 20U;

std::string json_text(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string json = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      json += {'\\', 'u', '0', '0', kHex[byte >> 4U], kHex[byte & 15U]};
      continue;
    }
    if (c == '"' || c == '\\') json += '\\';
    json += c;
  }
  return json + "\"";
}

Result<std::string> cluster_json(const Access& access) {
  auto ca = access.ca.text;
  if (!access.ca.file.empty()) {
    auto text = read_file(access.ca.file, kMaxCaBytes, "read the CA " + access.ca.file);
    if (!text) return std::unexpected(text.error());
    ca = std::move(*text);
  }
  std::string json = "{\"server\":" + json_text(access.server);
  if (!ca.empty()) json += ",\"certificate-authority-data\":" + json_text(to_base64(ca));
  if (access.insecure) json += ",\"insecure-skip-tls-verify\":true";
  if (!access.tls_server_name.empty()) {
    json += ",\"tls-server-name\":" + json_text(access.tls_server_name);
  }
  if (!access.proxy.empty()) json += ",\"proxy-url\":" + json_text(access.proxy);
  return json + "}";
}

// What the plugin is told in $KUBERNETES_EXEC_INFO.
Result<std::string> exec_info(const ExecPlugin& plugin, const Access& access) {
  std::string cluster;
  if (plugin.wants_cluster) {
    auto json = cluster_json(access);
    if (!json) return json;
    cluster = "\"cluster\":" + *json + ",";
  }
  return R"({"kind":"ExecCredential","apiVersion":)" + json_text(plugin.api_version) +
         ",\"spec\":{" + cluster + "\"interactive\":false}}";
}

}  // namespace

Result<ExecCredential> parse_exec_credential(std::string& json) {
  JsonParser parser;
  const auto root = parser.parse(json);
  if (!root) return fail(Errc::kInvalid, "it printed no JSON");
  bool sound = true;
  const JsonObject object(*root, sound);
  const auto status = object.object("status");
  const auto expires = status.text("expirationTimestamp");
  ExecCredential credential{.token = std::string(status.text("token")),
                            .cert = std::string(status.text("clientCertificateData")),
                            .key = std::string(status.text("clientKeyData")),
                            .expires_ns = parse_rfc3339(expires)};
  if (!sound || object.text("kind") != "ExecCredential") {
    return fail(Errc::kInvalid, "it printed no ExecCredential");
  }
  if (!expires.empty() && !credential.expires_ns) {
    return fail(Errc::kInvalid, "its expirationTimestamp is no time");
  }
  if (credential.cert.empty() != credential.key.empty()) {
    return fail(Errc::kInvalid, "it gave half of a certificate and its key");
  }
  if (credential.token.empty() && credential.cert.empty()) {
    return fail(Errc::kInvalid, "it gave neither a token nor a certificate");
  }
  return credential;
}

Result<ExecCredential> run_exec_plugin(const ExecPlugin& plugin, const Access& access,
                                       const CommandLimits& limits) {
  auto info = exec_info(plugin, access);
  if (!info) return std::unexpected(info.error());
  Command command{.argv = {plugin.command}, .env = plugin.env};
  command.argv.insert(command.argv.end(), plugin.args.begin(), plugin.args.end());
  command.env.emplace_back("KUBERNETES_EXEC_INFO", std::move(*info));

  const auto doing = "get credentials from the exec plugin " + one_line(plugin.command) + ": ";
  auto output = run_command(command, limits);
  if (!output) {
    const bool hint = output.error().code == Errc::kNotFound && !plugin.install_hint.empty();
    return fail(output.error().code,
                doing + output.error().what + (hint ? "; " + plugin.install_hint : ""));
  }
  if (output->exit_status != 0) {
    return fail(Errc::kUnavailable, doing + "exit status " + std::to_string(output->exit_status) +
                                        " (" + one_line(output->err) + ")");
  }
  auto credential = parse_exec_credential(output->out);
  if (!credential) return fail(credential.error().code, doing + credential.error().what);
  return credential;
}

}  // namespace orb8::k8s
