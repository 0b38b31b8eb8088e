// SPDX-License-Identifier: Apache-2.0
#include "core/config/load.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <sstream>
#include <string_view>
#include <utility>

#include "core/config/config_file.h"
#include "core/config/settings.h"
#include "core/config/values.h"

namespace orb8 {
namespace {

// An empty text is one empty part, which no list allows.
std::vector<std::string> split_at_commas(const std::vector<std::string>& texts) {
  std::vector<std::string> parts;
  for (const auto& text : texts) {
    std::istringstream in(text);
    if (text.empty()) parts.emplace_back();
    for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
  }
  return parts;
}

std::string join(const std::vector<std::string>& parts) {
  std::string all;
  for (const auto& part : parts) all += (all.empty() ? "" : ",") + part;
  return all;
}

// So that it is one value of a list, whatever is in it.
std::string percent_encoded(std::string_view text) {
  std::string all;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool as_it_is = byte > ' ' && byte < 0x7f && c != ',' && c != '%';
    all += as_it_is ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return all;
}

// Where the kernel's name is none that node_name takes (it may be any bytes), one that it does.
std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name = {};
  ::gethostname(name.data(), name.size() - 1);
  return is_node_name(name.data()) ? name.data() : "localhost";
}

// Kubernetes tells every pod of each Service of its namespace: a Service "orb8-agent" makes
// ORB8_AGENT_SERVICE_HOST, ORB8_AGENT_PORT, ORB8_AGENT_PORT_9090_TCP and more.
bool tells_of_a_service(std::string_view variable, const std::vector<std::string>& all) {
  constexpr std::string_view kHost = "_SERVICE_HOST";
  return std::ranges::any_of(all, [&](std::string_view host) {
    if (!host.ends_with(kHost)) return false;
    const auto name = host.substr(0, host.size() - kHost.size());
    if (!variable.starts_with(name)) return false;
    const auto rest = variable.substr(name.size());
    return rest == "_PORT" || rest.starts_with("_PORT_") || rest.starts_with("_SERVICE_");
  });
}

class Loader {
 public:
  explicit Loader(const ConfigInput& input) : input_(input) {}

  Result<void> read_file() {
    const auto variable = value_of("ORB8_CONFIG");
    const bool named = input_.file || (variable && !variable->empty());
    const auto name = input_.file ? *input_.file : named ? *variable : kDefaultConfigPath;
    const auto text = read_config_text(name);
    if (!text && !named && text.error().code == Errc::kNotFound) return {};
    if (!text) return std::unexpected(text.error());
    const auto values = parse_config_file(name, *text);
    if (!values) return std::unexpected(values.error());
    for (const auto& [key, value] : *values) {
      const auto where = fmt::format("{}:{}: {}", name, value.line, key);
      auto ok = set(*find_setting(key), value.values, where, Origin::kFile);
      if (!ok) return ok;
    }
    return {};
  }

  Result<void> read_environment() {
    for (const auto& setting : settings()) {
      const std::string variable(setting.variable);
      const auto value = value_of(variable);
      if (!value) continue;
      if (auto ok = set(setting, {*value}, variable, Origin::kEnvironment); !ok) return ok;
    }
    return {};
  }

  // What OpenTelemetry's own variables say, where the setting does not; empty ones say nothing.
  // They are for all programs of the environment: what cannot be read is left out whole, and told.
  void read_opentelemetry() {
    const auto& setting = *find_setting("otlp_resource_attributes");
    if (loaded_.origins.contains(std::string(setting.key))) return;
    const auto take = [&](const std::string& variable, const std::vector<std::string>& values) {
      if (auto ok = set(setting, values, variable, Origin::kEnvironment); !ok) {
        loaded_.warnings.push_back(ok.error().what + "; it is left out");
      }
    };
    const auto attributes = value_of("OTEL_RESOURCE_ATTRIBUTES").value_or("");
    if (!attributes.empty()) take("OTEL_RESOURCE_ATTRIBUTES", {attributes});
    const auto name = value_of("OTEL_SERVICE_NAME").value_or("");
    if (name.empty()) return;
    auto all = loaded_.config.otlp_resource_attributes;
    all.push_back("service.name=" + percent_encoded(name));  // outranks one in the other variable
    take("OTEL_SERVICE_NAME", all);
  }

  Result<void> read_flags() {
    for (const auto& [key, values] : input_.flags) {
      const auto* setting = find_setting(key);
      if (!setting) return fail(Errc::kInvalid, "no setting is called '" + key + "'");
      if (auto ok = set(*setting, values, flag_of(*setting), Origin::kFlag); !ok) return ok;
    }
    return {};
  }

  void warn_of_unknown_variables() {
    std::vector<std::string> known;
    for (const auto& setting : settings()) known.emplace_back(setting.variable);
    for (const auto& other : other_variables()) known.emplace_back(other);
    for (const auto& variable : input_.variables) {
      if (!variable.starts_with("ORB8_") || std::ranges::find(known, variable) != known.end() ||
          tells_of_a_service(variable, input_.variables)) {
        continue;
      }
      // NODE_NAME is the one without the prefix.
      const auto like = variable == "ORB8_NODE_NAME" ? "NODE_NAME" : nearest(variable, known);
      loaded_.warnings.push_back(one_line(variable) + " is no setting" +
                                 (like.empty() ? "" : "; did you mean " + like + "?"));
    }
  }

  // Fills in what other values decide, and checks those that must fit together.
  Result<LoadedConfig> finish() {
    auto& config = loaded_.config;
    if (config.node_name.empty()) config.node_name = host_name();
    if (config.grpc_port == config.health_port && config.grpc_port != 0) {
      return fail(Errc::kInvalid, named_as("grpc_port") + " and " + named_as("health_port") +
                                      " are both " + std::to_string(config.grpc_port) +
                                      "; each needs a port of its own");
    }
    return std::move(loaded_);
  }

 private:
  // As it is shown in a message.
  static std::string shown(const Setting& setting, const std::vector<std::string>& given) {
    return setting.secret ? "what was given (it is not shown)" : "'" + one_line(join(given)) + "'";
  }

  std::optional<std::string> value_of(const std::string& variable) const {
    const char* value = input_.environment ? input_.environment(variable) : nullptr;
    return value ? std::optional<std::string>(value) : std::nullopt;
  }

  // `named`: the key as the user wrote it.
  Result<void> set(const Setting& setting, const std::vector<std::string>& given,
                   const std::string& named, Origin origin) {
    if (!setting.list && given.size() > 1) {
      return fail(Errc::kInvalid,
                  named + ": " + shown(setting, given) + " is more than one value; give it once");
    }
    const auto values = setting.list ? split_at_commas(given) : given;
    if (values.empty() || !setting.set(loaded_.config, values)) {
      return fail(Errc::kInvalid, named + ": " + shown(setting, given) +
                                      " is not allowed; it must be " + setting.allowed);
    }
    loaded_.origins[std::string(setting.key)] = origin;
    named_[std::string(setting.key)] = named;
    return {};
  }

  std::string named_as(const std::string& key) const {
    const auto found = named_.find(key);
    return found == named_.end() ? key : found->second;
  }

  const ConfigInput& input_;
  LoadedConfig loaded_;
  std::map<std::string, std::string> named_;  // by key
};

}  // namespace

Result<LoadedConfig> load_config(const ConfigInput& input) {
  Loader loader(input);
  // In the order of rank: what comes later replaces what was there.
  if (auto ok = loader.read_file(); !ok) return std::unexpected(ok.error());
  if (auto ok = loader.read_environment(); !ok) return std::unexpected(ok.error());
  if (auto ok = loader.read_flags(); !ok) return std::unexpected(ok.error());
  loader.read_opentelemetry();
  loader.warn_of_unknown_variables();
  return loader.finish();
}

std::vector<std::string> variable_names() {
  std::vector<std::string> names;
  for (char** entry = ::environ; entry && *entry; ++entry) {
    const std::string_view text(*entry);
    names.emplace_back(text.substr(0, text.find('=')));
  }
  return names;
}

}  // namespace orb8
