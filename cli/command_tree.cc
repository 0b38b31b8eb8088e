// SPDX-License-Identifier: Apache-2.0
#include "cli/command_tree.h"

#include <algorithm>
#include <cstddef>

#include "cli/help_text.h"
#include "core/config/flags.h"

namespace orb8 {
namespace {

constexpr const char* kGlobal = "Global flags";
constexpr const char* kFlags = "Flags";
constexpr const char* kFilters = "Filters";
constexpr const char* kSettings = "Settings";  // add_config_flags() calls its group so

// One application's worth of commands; every flag's values land in `raw` under its name.
class Builder {
 public:
  explicit Builder(RawOptions& raw) : raw_(raw) {}

  void add_global_flags(CLI::App& app) {
    add_value(app, kGlobal, "--agent", "HOST:PORT",
              "Ask this agent and no other. Default: localhost:9090, where nobody answers, "
              "standalone. (ORB8_AGENT)");
    add_flag(app, kGlobal, "--standalone", raw_.standalone,
             "Watch this machine without an agent; needs root.");
    add_value(app, kGlobal, "--mode", "MODE",
              "standalone: as --standalone; cluster comes with the relay server, in a later "
              "version.");
    add_value(app, kGlobal, "-o,--output", "FORMAT",
              "compact, table, wide, dict, json or jsonpb. compact is a line each, to be read as "
              "it scrolls by. A table is fitted to the terminal; wide has all columns in full and "
              "is not. dict has them as KEY: VALUE lines. json is one object a line, with the "
              "names of the API, jsonpb the same in protobuf's own JSON. Default: table.");
    add_value(app, kGlobal, "--color", "WHEN",
              "auto, always or never. auto: on a terminal, unless NO_COLOR is set. Default: auto.");
    add_value(app, kGlobal, "--time-format", "FORMAT",
              "How times are written, but for JSON's: Clock, DateTime, StampMilli, RFC3339, "
              "RFC3339Milli, RFC3339Micro, RFC3339Nano or RFC1123Z, in local time (TZ). Default: "
              "Clock, as 15:04:05.123.");
    add_flag(app, kGlobal, "--numeric", raw_.numeric,
             "Addresses instead of the names of pods, Services and nodes, but for JSON's.");
    add_value(app, kGlobal, "--connect-timeout", "TIME",
              "How long an agent may take to answer. Default: 3s.");
    add_flag(app, kGlobal, "-V,--version", raw_.version, "Print the version.");
    add_value(app, kSettings, "--config", "PATH",
              "Take settings from this YAML file, where no flag or variable has them. Default: "
              "/etc/orb8/config.yaml, where it exists. (ORB8_CONFIG)");
    add_config_flags(app, raw_.settings,
                     {"interface", "flow_source", "udp", "tc_attach", "tc_anchor", "max_flows",
                      "flow_timeout_secs", "snapshot_interval_ms", "ring_buffer_size", "kube",
                      "pod_scope", "labels"});
  }

  void add_status(CLI::App& app) {
    auto& status = add_command(app, "status", "Health, probes and losses.", help::kStatus);
    add_value(status, kFlags, "--duration", "TIME",
              "Standalone: watch for so long before answering. Default: 3s.");
  }

  void add_flows(CLI::App& app) {
    auto& flows = add_command(app, "flows", "The flows alive now, largest first.", help::kFlows);
    add_filters(flows);
    add_value(flows, kFlags, "--limit", "COUNT",
              "Show so many at most; 0: as many as an answer holds. Default: 20.");
    add_value(flows, kFlags, "--sort", "KEY",
              "bytes, packets, last-seen, rtt or retransmits. Default: bytes.");
    add_flag(flows, kFlags, "--collapse-ports", raw_.collapse_ports,
             "One row for all connections of a client to a server's port.");
    add_input(flows);
    add_selectors(flows);
    add_value(
        flows, kFlags, "--by", "WHAT",
        "Groups instead of flows: by pod, workload, namespace, service, node, port or process; "
        "of the other side by peer-pod, peer-workload, peer-namespace, peer-node or peer-ip. "
        "Repeatable.");
    add_value(flows, kFlags, "--top", "COUNT",
              "With --by: show so many groups, and the sum of the others. Default: 20.");
    add_value(flows, kFlags, "--window", "TIME",
              "With --by: show rates over this time, from now on.");
    flows
        .add_option("--watch", raw_.watch, "Show again every TIME, until Ctrl-C. Default TIME: 2s.")
        ->type_name("[TIME]")
        ->group(kFlags)
        ->expected(0, 1);
    add_value(flows, kFlags, "--duration", "TIME",
              "Standalone: watch for so long before answering. Default: 3s.");
  }

  void add_pods(CLI::App& app) {
    auto& pods = add_command(app, "pods", "The pods that are known by name.", help::kPods);
    add_value(pods, kFilters, "-n,--namespace", "NAME", "Pods of this namespace. Repeatable.");
    add_value(pods, kFilters, "--pod", "NAME", "This pod. Repeatable.");
    add_value(pods, kFlags, "--duration", "TIME",
              "Standalone: watch for so long before answering. Default: 3s.");
  }

  void add_trace(CLI::App& app) {
    auto& trace = add_command(app, "trace", "Live events.", help::kTrace);
    trace.require_subcommand(1);
    auto& network = add_command(trace, "network", "Network flows as they start, move and end.",
                                help::kTraceNetwork);
    add_filters(network);
    add_selectors(network);
    add_follow(network);
    add_value(network, kFlags, "--duration", "TIME", "End after this time, as 30s or 5m.");
    add_flag(network, kFlags, "--packets", raw_.packets,
             "One line for each packet instead, filtered in the kernel.");
    add_input(network);
  }

  void add_others(CLI::App& app) {
    add_command(app, "version", "Print the version.", help::kVersion);
    auto& completion =
        add_command(app, "completion", "Print a completion script.", help::kCompletion);
    completion.add_option("shell", raw_.shell, "bash, zsh or fish.")
        ->type_name("SHELL")
        ->group("Arguments")
        ->expected(0, 1);
  }

 private:
  static CLI::App& add_command(CLI::App& parent, const char* name, const char* about,
                               const char* footer) {
    auto* command = parent.add_subcommand(name, about);
    command->footer(footer);
    command->fallthrough();  // global flags may follow the command
    command->set_help_flag("-h,--help", "Print this help.")->group(kGlobal);
    return *command;
  }

  void add_value(CLI::App& app, const char* group, const std::string& names, const char* type,
                 const char* about) {
    auto& values = raw_.values[names.substr(names.find("--"))];
    app.add_option(names, values, about)->type_name(type)->group(group)->allow_extra_args(false);
  }

  void add_input(CLI::App& app) {
    add_value(app, kFlags, "--input-file", "PATH",
              "Ask nobody: filter and show what was saved with -o json. - is standard input.");
  }

  static void add_flag(CLI::App& app, const char* group, const char* names, bool& into,
                       const char* about) {
    app.add_flag(names, into, about)->group(group);
  }

  void add_follow(CLI::App& app) {
    add_flag(app, kFlags, "-f,--follow", raw_.follow,
             "Go on with what happens from now on; so it is without any of these.");
  }

  // Which part of what is remembered.
  void add_selectors(CLI::App& app) {
    add_value(app, kFlags, "--since", "TIME",
              "Also flows that have ended: those last seen since 5m ago, 17:27:47, 2026-11-28, or "
              "an RFC 3339 time.");
    add_value(app, kFlags, "--until", "TIME",
              "Flows first seen until then; of a trace, events until then.");
    add_value(app, kFlags, "--last", "COUNT", "Of all that is remembered the latest.");
    add_value(app, kFlags, "--first", "COUNT", "Of all that is remembered the earliest.");
    add_flag(app, kFlags, "--all", raw_.all, "All that is remembered.");
  }

  void add_filters(CLI::App& app) {
    for (const auto& flag : filter_flags()) {
      if (flag.type.empty()) {
        app.add_flag(flag.names, flag.about)->group(kFilters);
      } else {
        app.add_option(flag.names, flag.about)
            ->type_name(flag.type)
            ->group(kFilters)
            ->expected(1)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
      }
    }
    // Their values stay with CLI11: take_filters() reads them, in the order in which they stood.
    const std::string about_not = "What the next filter says must not match.";
    app.add_flag(std::string(kNotFlag), about_not)->group(kFilters);
    const std::string about_or = "Begin another filter: flows that match any are shown.";
    app.add_flag(std::string(kOrFlag), about_or)->group(kFilters);
  }

  RawOptions& raw_;
};

}  // namespace

void build_command_tree(CLI::App& app, RawOptions& raw) {
  app.name("orb8");
  app.description(help::kAbout);
  app.footer(help::kOrb8);
  app.set_help_flag("-h,--help", "Print this help.")->group(kGlobal);
  app.require_subcommand(0, 1);
  Builder builder(raw);
  builder.add_global_flags(app);
  builder.add_status(app);
  builder.add_flows(app);
  builder.add_trace(app);
  builder.add_pods(app);
  builder.add_others(app);
}

void take_filters(const CLI::App& command, RawOptions& raw) {
  std::map<const CLI::Option*, std::size_t> seen;
  for (const auto* option : command.parse_order()) {
    const auto name = flag_name(*option);
    const auto& flags = filter_flags();
    const auto flag = std::ranges::find(flags, name, &FilterFlag::name);
    if (flag == flags.end() && name != kNotFlag && name != kOrFlag) continue;
    const bool takes_value = flag != flags.end() && !flag->type.empty();
    const auto at = seen[option]++;
    raw.filters.push_back(
        {.flag = name, .value = takes_value ? option->results().at(at) : std::string()});
  }
}

const CLI::App& chosen_app(const CLI::App& app) {
  const auto* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  return *at;
}

std::string command_words(const CLI::App& app) {
  if (app.get_parent() == nullptr) return "";
  const auto above = command_words(*app.get_parent());
  return above + (above.empty() ? "" : " ") + app.get_name();
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::string flag_name(const CLI::Option& option) {
  return option.get_lnames().empty() ? option.get_name() : "--" + option.get_lnames().front();
}

}  // namespace orb8
