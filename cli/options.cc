// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <algorithm>
#include <array>
#include <utility>

#include "cli/command_tree.h"
#include "cli/format.h"
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

ParsedOptions wrong(const std::string& what) {
  return {.options = {}, .exit_status = kBadUsage, .text = "orb8: " + what + "\n"};
}

std::unexpected<Error> not_allowed(const std::string& flag, const std::string& value,
                                   const std::string& allowed) {
  return fail(Errc::kInvalid, flag + ": '" + value + "' is not allowed; it must be " + allowed);
}

template <class T, std::size_t N>
Result<T> choose(const std::string& flag, const std::string& value,
                 const std::array<std::pair<std::string_view, T>, N>& words) {
  std::string allowed;
  std::vector<std::string> known;
  for (const auto& [word, meaning] : words) {
    if (word == value) return meaning;
    allowed += (allowed.empty() ? "" : ", ") + std::string(word);
    known.emplace_back(word);
  }
  const auto like = nearest(value, known);
  return not_allowed(flag, value,
                     "one of " + allowed + (like.empty() ? "" : " (did you mean " + like + "?)"));
}

Result<std::chrono::milliseconds> duration(const std::string& flag, const std::string& value) {
  const auto time = parse_duration(value);
  if (!time) return not_allowed(flag, value, "a time, as 500ms, 30s, 5m or 1m30s");
  return *time;
}

// Checks what was given and puts it into the options.
class Checker {
 public:
  explicit Checker(const RawOptions& raw) : raw_(raw) {}

  Result<CliOptions> check(const std::string& command, const EnvironmentFn& environment) {
    for (auto step : {&Checker::read_output, &Checker::read_filter, &Checker::read_flows,
                      &Checker::read_times, &Checker::read_mode}) {
      if (auto ok = (this->*step)(); !ok) return std::unexpected(ok.error());
    }
    if (auto ok = read_agent(environment); !ok) return std::unexpected(ok.error());
    if (auto ok = read_command(command); !ok) return std::unexpected(ok.error());
    options_.settings = raw_.settings;
    return options_;
  }

 private:
  Result<void> read_output() {
    if (!raw_.output.empty()) {
      constexpr std::array<std::pair<std::string_view, OutputFormat>, 3> kWords = {
          {{"table", OutputFormat::kTable},
           {"wide", OutputFormat::kWide},
           {"json", OutputFormat::kJson}}};
      const auto output = choose("-o/--output", raw_.output, kWords);
      if (!output) return std::unexpected(output.error());
      options_.output = *output;
    }
    if (!raw_.color.empty()) {
      constexpr std::array<std::pair<std::string_view, ColorChoice>, 3> kWords = {
          {{"auto", ColorChoice::kAuto},
           {"always", ColorChoice::kAlways},
           {"never", ColorChoice::kNever}}};
      const auto color = choose("--color", raw_.color, kWords);
      if (!color) return std::unexpected(color.error());
      options_.color = *color;
    }
    return {};
  }

  Result<void> read_filter() {
    options_.namespaces = raw_.namespaces;
    options_.pods = raw_.pods;
    for (const auto& ip : raw_.ips) {
      if (!parse_prefix(ip)) {
        return not_allowed("--ip", ip, "an address or a prefix, as 10.0.0.0/8 or fd00::/8");
      }
      options_.filter.add_ips(ip);
    }
    for (const auto& text : raw_.ports) {
      const auto port = parse_unsigned(text);
      if (!port || *port > kLastPort) {
        return not_allowed("--port", text, "a number from 0 to 65535");
      }
      options_.filter.add_ports(static_cast<std::uint32_t>(*port));
    }
    for (const auto& protocol : raw_.protocols) {
      if (!parse_protocol(protocol)) {
        return not_allowed("--protocol", protocol,
                           "a protocol's name, as tcp, udp, icmp, icmpv6 or sctp, or a number from "
                           "0 to 255");
      }
      options_.filter.add_protocols(protocol);
    }
    for (const auto& direction : raw_.directions) {
      if (!parse_direction(direction)) {
        return not_allowed("--direction", direction, "ingress or egress");
      }
      options_.filter.add_directions(direction);
    }
    return {};
  }

  Result<void> read_flows() {
    if (!raw_.limit.empty()) {
      const auto limit = parse_unsigned(raw_.limit);
      if (!limit || *limit > UINT32_MAX) {
        return not_allowed("--limit", raw_.limit, "a number from 0 to 4294967295");
      }
      options_.limit = static_cast<std::uint32_t>(*limit);
    }
    if (raw_.sort.empty()) return {};
    constexpr std::array<std::pair<std::string_view, v1::SortOrder>, 3> kWords = {
        {{"bytes", v1::SORT_ORDER_BYTES},
         {"packets", v1::SORT_ORDER_PACKETS},
         {"last-seen", v1::SORT_ORDER_LAST_SEEN}}};
    const auto sort = choose("--sort", raw_.sort, kWords);
    if (!sort) return std::unexpected(sort.error());
    options_.sort = *sort;
    return {};
  }

  Result<void> read_times() {
    const auto read =
        [](const char* flag, const std::string& text,
           const std::function<void(std::chrono::milliseconds)>& put) -> Result<void> {
      if (text.empty()) return {};
      const auto time = duration(flag, text);
      if (!time) return std::unexpected(time.error());
      put(*time);
      return {};
    };
    if (auto ok = read("--duration", raw_.duration, [&](auto time) { options_.duration = time; });
        !ok) {
      return ok;
    }
    if (raw_.watching) options_.watch = kWatchEvery;
    const std::string every = raw_.watch.empty() ? "" : raw_.watch.back();
    if (auto ok = read("--watch", every, [&](auto time) { options_.watch = time; }); !ok) return ok;
    return read("--connect-timeout", raw_.connect_timeout,
                [&](auto time) { options_.connect_timeout = time; });
  }

  Result<void> read_mode() {
    options_.standalone = raw_.standalone;
    if (raw_.mode == "standalone") {
      options_.standalone = true;
    } else if (raw_.mode == "cluster") {
      return fail(Errc::kInvalid,
                  "--mode: cluster comes with the relay server, which this version does not have; "
                  "ask one agent with --agent HOST:PORT");
    } else if (!raw_.mode.empty()) {
      return not_allowed("--mode", raw_.mode, "standalone or cluster");
    }
    return {};
  }

  Result<void> read_agent(const EnvironmentFn& environment) {
    const char* variable = environment("ORB8_AGENT");
    const bool by_flag = !raw_.agent.empty();
    const std::string name = by_flag ? "--agent" : "ORB8_AGENT";
    if (by_flag && options_.standalone) {
      return fail(Errc::kInvalid, "--agent and --standalone exclude each other");
    }
    options_.agent_named = by_flag || (variable != nullptr && *variable != '\0');
    options_.agent = by_flag ? raw_.agent : options_.agent_named ? variable : "localhost:9090";
    const auto colon = options_.agent.rfind(':');
    const auto port = colon == std::string::npos ? std::nullopt
                                                 : parse_unsigned(options_.agent.substr(colon + 1));
    if (colon == 0 || !port || *port == 0 || *port > kLastPort) {
      return not_allowed(name, options_.agent, "HOST:PORT, as localhost:9090 or [fd00::7]:9090");
    }
    return {};
  }

  Result<void> read_command(const std::string& command) {
    constexpr std::array<std::pair<std::string_view, Command>, 5> kCommands = {
        {{"status", Command::kStatus},
         {"flows", Command::kFlows},
         {"trace network", Command::kTraceNetwork},
         {"version", Command::kVersion},
         {"completion", Command::kCompletion}}};
    for (const auto& [words, meaning] : kCommands) {
      if (words == command) options_.command = meaning;
    }
    options_.packets = raw_.packets;
    options_.completion = raw_.shell;
    if (options_.command != Command::kCompletion) return {};
    constexpr std::array kShells = {"bash", "zsh", "fish"};
    if (std::ranges::find(kShells, raw_.shell) != kShells.end()) return {};
    return not_allowed("completion", raw_.shell, "bash, zsh or fish");
  }

  const RawOptions& raw_;
  CliOptions options_;
};

// The command whose --help lists what was mistaken.
std::string help_of(const CLI::App& app) {
  const auto words = chosen_command(app);
  return "see orb8 " + words + (words.empty() ? "" : " ") + "--help";
}

void collect_words(const CLI::App& app, bool flags, std::vector<std::string>& words) {
  if (flags) {
    for (const auto* option : app.get_options()) {
      for (const auto& name : option->get_lnames()) words.push_back("--" + name);
    }
  }
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!flags) words.push_back(command->get_name());
    collect_words(*command, flags, words);
  }
}

ParsedOptions unexpected_word(const CLI::App& app, const std::string& word) {
  const bool flag = word.starts_with("-");
  std::vector<std::string> known;
  collect_words(app, flag, known);
  const auto like = nearest(word.substr(0, word.find('=')), known);
  return wrong(std::string(flag ? "unknown flag '" : "unknown command or argument '") +
               printable(word) + "'" + (like.empty() ? "" : "; did you mean '" + like + "'?") +
               "; " + help_of(app));
}

}  // namespace

ParsedOptions parse_cli(const std::vector<std::string>& arguments,
                        const EnvironmentFn& environment) {
  CLI::App app;
  RawOptions raw;
  build_command_tree(app, raw);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    const auto* at = &app;
    while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
    return {.options = {}, .exit_status = 0, .text = at->help()};
  } catch (const CLI::ExtrasError&) {
    const auto left = app.remaining(true);
    return unexpected_word(app, left.empty() ? "" : left.front());
  } catch (const CLI::ParseError& error) {
    return wrong(std::string(error.what()) + "; " + help_of(app));
  }
  const auto command = chosen_command(app);
  if (command.empty()) return {.options = {}, .exit_status = kBadUsage, .text = app.help()};
  auto options = Checker(raw).check(command, environment);
  if (!options) return wrong(options.error().what);
  return {.options = std::move(*options), .exit_status = 0, .text = ""};
}

}  // namespace orb8
