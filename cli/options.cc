// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "cli/command_tree.h"
#include "cli/flag_values.h"
#include "cli/format.h"
#include "cli/help.h"
#include "cli/history_flags.h"
#include "cli/usage_error.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/config/settings.h"
#include "core/config/values.h"
#include "core/model/addr.h"
#include "core/model/flow.h"

namespace orb8 {
namespace {

constexpr int kBadUsage = 2;
constexpr std::uint64_t kLastPort = 65535;
constexpr auto kWatchEvery = std::chrono::seconds(2);
constexpr const char* kAgent = "localhost:9090";

ParsedOptions wrong(const std::string& what) {
  return {.options = {}, .exit_status = kBadUsage, .text = "orb8: " + what + "\n"};
}

// HOST:PORT, where an IPv6 host is in brackets and nothing is a URL.
bool is_agent_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const auto port = parse_unsigned(text.substr(colon + 1));
  if (!port || *port == 0 || *port > kLastPort) return false;
  auto host = text.substr(0, colon);
  if (host.front() != '[') return host.find_first_of(":/[] \t") == std::string_view::npos;
  if (host.back() != ']') return false;
  host = host.substr(1, host.size() - 2);
  const auto address = parse_addr(host.substr(0, host.find('%')));
  return address && host.find(':') != std::string_view::npos;
}

bool same_but_for_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// Checks what was given, flag by flag, and puts it into the options. The first mistake stops it.
class Checker {
 public:
  explicit Checker(const RawOptions& raw) : raw_(raw) {}

  Result<CliOptions> check(const CLI::App& command, const EnvironmentFn& environment) {
    options_.command_words = command_words(command);
    for (const auto& [flag, values] : raw_.values) {
      if (!is_repeatable(flag) && values.size() > 1) {
        return fail(Errc::kInvalid, flag + " is given twice");
      }
    }
    for (auto step :
         {&Checker::read_looks, &Checker::read_filter, &Checker::read_limits, &Checker::read_times,
          &Checker::read_mode, &Checker::read_settings, &Checker::read_command}) {
      if (auto ok = (this->*step)(); !ok) return std::unexpected(ok.error());
    }
    if (auto ok = read_agent(environment); !ok) return std::unexpected(ok.error());
    if (auto ok = read_input(command); !ok) return std::unexpected(ok.error());
    if (const auto* watch = command.get_option_no_throw("--watch")) {
      if (auto ok = read_watch(watch->count() > 0); !ok) return std::unexpected(ok.error());
    }
    if (auto ok = read_history_flags(raw_, wall_now_ns(), options_); !ok) {
      return std::unexpected(ok.error());
    }
    return options_;
  }

 private:
  static bool is_repeatable(std::string_view flag) {
    return flag == "--namespace" || flag == "--pod" || flag == "--by";
  }

  const std::vector<std::string>& given(const std::string& flag) const {
    return raw_.values.at(flag);
  }

  // Puts the meaning of the flag's word into `out`, if it was given.
  template <class T, std::size_t N>
  Result<void> read_word(const std::string& flag, const Words<T, N>& words, T& out) const {
    for (const auto& value : given(flag)) {
      const auto found = std::ranges::find_if(
          words, [&](const auto& word) { return same_but_for_case(word.first, value); });
      if (found == words.end()) return not_allowed(flag, value);
      out = found->second;
    }
    return {};
  }

  Result<void> read_looks() {
    if (auto ok = read_word("--output", kOutputWords, options_.output); !ok) return ok;
    if (auto ok = read_word("--color", kColorWords, options_.color); !ok) return ok;
    options_.numeric = raw_.numeric;
    return read_word("--time-format", kTimeWords, options_.time_format);
  }

  Result<void> read_filter() {
    auto filters = read_filters(raw_.filters);
    if (!filters) return std::unexpected(filters.error());
    options_.filters = std::move(*filters);
    // Not where one filter, of several, asks for something else, nor behind a --not.
    options_.failed =
        !options_.filters.empty() && std::ranges::all_of(options_.filters, &v1::FlowFilter::failed);
    for (const auto* flag : {"--namespace", "--pod"}) {
      for (const auto& name : given(flag)) {
        if (name.empty()) return not_allowed(flag, name);
      }
    }
    options_.namespaces = given("--namespace");
    options_.pods = given("--pod");
    return check_packets();
  }

  // What is asked of connections, which a packet by itself is none.
  Result<void> check_packets() const {
    for (const auto& filter : raw_.filters) {
      const bool of_connections = filter.flag == "--failed" || filter.flag == "--min-rtt" ||
                                  filter.flag == "--verdict" || filter.flag == "--min-retransmits";
      if (!raw_.packets || !of_connections) continue;
      return fail(Errc::kInvalid,
                  fmt::format("{} and --packets exclude each other: a packet by itself has none of "
                              "what tells how a connection fares",
                              filter.flag));
    }
    return {};
  }

  Result<void> read_limits() {
    for (const auto& text : given("--limit")) {
      const auto limit = parse_unsigned(text);
      if (!limit || *limit > UINT32_MAX) return not_allowed("--limit", text);
      options_.limit = static_cast<std::uint32_t>(*limit);
    }
    return read_word("--sort", kSortWords, options_.sort);
  }

  Result<void> read_times() {
    for (const auto& text : given("--duration")) {
      const auto time = parse_duration(text);
      if (!time) return not_allowed("--duration", text);
      options_.duration = *time;
    }
    for (const auto& text : given("--connect-timeout")) {
      const auto time = parse_duration(text);
      if (!time) return not_allowed("--connect-timeout", text);
      options_.connect_timeout = *time;
    }
    return {};
  }

  Result<void> read_watch(bool watching) {
    if (!watching) return {};
    options_.watch = kWatchEvery;
    for (const auto& text : raw_.watch) {
      if (text.empty()) continue;  // the flag alone
      const auto every = parse_duration(text);
      if (!every) return not_allowed("--watch", text);
      options_.watch = *every;
    }
    return {};
  }

  Result<void> read_mode() {
    bool standalone = true;
    if (auto ok = read_word("--mode", kModeWords, standalone); !ok) return ok;
    if (!standalone) {
      return fail(
          Errc::kInvalid,
          "--mode: 'cluster' comes with the relay server, in a later version; until then ask "
          "one agent with --agent HOST:PORT");
    }
    options_.standalone = raw_.standalone || !given("--mode").empty();
    return {};
  }

  // Also where an agent will answer: a mistake is a mistake.
  Result<void> read_settings() {
    Config scratch;
    for (const auto& [key, values] : raw_.settings) {
      const auto& setting = *find_setting(key);
      const auto flag = flag_of(setting);
      if (!setting.list && values.size() > 1) {
        return fail(Errc::kInvalid, flag + " is given twice");
      }
      if (!setting.set(scratch, values)) {
        return not_allowed(flag, fmt::format("{}", fmt::join(values, ",")));
      }
    }
    options_.settings = raw_.settings;
    for (const auto& path : given("--config")) {
      if (path.empty()) return not_allowed("--config", path);
      options_.config_file = path;
    }
    return {};
  }

  Result<void> read_agent(const EnvironmentFn& environment) {
    options_.agent = kAgent;
    const bool asks =
        options_.command != Command::kVersion && options_.command != Command::kCompletion;
    if (!asks) return {};
    if (!given("--agent").empty()) {
      if (options_.standalone) {
        return fail(Errc::kInvalid, "--agent and --standalone exclude each other");
      }
      options_.agent = given("--agent").front();
      options_.agent_named = true;
      if (!is_agent_address(options_.agent)) return not_allowed("--agent", options_.agent);
      return {};
    }
    const char* variable = environment("ORB8_AGENT");
    if (options_.standalone || variable == nullptr || *variable == '\0') return {};
    options_.agent = variable;
    options_.agent_named = true;
    if (!is_agent_address(options_.agent)) return not_allowed("--agent", variable, "ORB8_AGENT");
    return {};
  }

  // Nobody is asked then, and there is nothing to wait for.
  Result<void> read_input(const CLI::App& command) {
    for (const auto& path : given("--input-file")) {
      if (path.empty()) return not_allowed("--input-file", path);
      options_.input_file = path;
    }
    if (!options_.input_file) return {};
    const auto exclude = [](const char* flag) {
      return fail(Errc::kInvalid, fmt::format("--input-file and {} exclude each other", flag));
    };
    if (options_.standalone) return exclude("--standalone");
    if (!given("--agent").empty()) return exclude("--agent");
    for (const char* flag : {"--watch", "--window", "--follow"}) {
      const auto* option = command.get_option_no_throw(flag);
      if (option != nullptr && option->count() > 0) return exclude(flag);
    }
    return {};
  }

  Result<void> read_command() {
    constexpr Words<Command, 6> kCommands = {{{"status", Command::kStatus},
                                              {"flows", Command::kFlows},
                                              {"trace network", Command::kTraceNetwork},
                                              {"pods", Command::kPods},
                                              {"version", Command::kVersion},
                                              {"completion", Command::kCompletion}}};
    for (const auto& [words, meaning] : kCommands) {
      if (words == options_.command_words) options_.command = meaning;
    }
    if (raw_.version) options_.command = Command::kVersion;
    options_.packets = raw_.packets;
    options_.collapse_ports = raw_.collapse_ports;
    if (options_.command != Command::kCompletion) return {};
    if (raw_.shell.empty()) {
      return fail(Errc::kInvalid,
                  "completion: the shell is missing; it must be " + values_of("shell")->allowed);
    }
    options_.shell = raw_.shell.front();
    if (std::ranges::find(kShells, options_.shell) != kShells.end()) return {};
    return not_allowed("shell", options_.shell, "completion");
  }

  const RawOptions& raw_;
  CliOptions options_;
};

}  // namespace

ParsedOptions parse_cli(const std::vector<std::string>& arguments,
                        const EnvironmentFn& environment) {
  CLI::App app;
  RawOptions raw;
  build_command_tree(app, raw);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    return {.options = {}, .exit_status = 0, .text = help_page(chosen_app(app))};
  } catch (const CLI::ParseError& error) {
    return wrong(usage_error(app, error) + see_help(app));
  }
  const auto& command = chosen_app(app);
  if (&command == &app && !raw.version) {
    return {.options = {}, .exit_status = kBadUsage, .text = help_page(app)};
  }
  take_filters(command, raw);
  auto options = Checker(raw).check(command, environment);
  if (!options) return wrong(options.error().what);
  return {.options = std::move(*options), .exit_status = 0, .text = ""};
}

}  // namespace orb8
