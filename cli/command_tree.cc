// SPDX-License-Identifier: Apache-2.0
#include "cli/command_tree.h"

#include "cli/help.h"
#include "core/config/flags.h"

namespace orb8 {
namespace {

void add_list(CLI::App& app, const std::string& flag, std::vector<std::string>& into,
              const std::string& type, const std::string& help) {
  app.add_option(flag, into, help)->type_name(type)->allow_extra_args(false)->group("Filters");
}

void add_global_flags(CLI::App& app, RawOptions& raw) {
  app.add_option("--agent", raw.agent, "Ask this agent. (ORB8_AGENT; default localhost:9090)")
      ->type_name("HOST:PORT");
  app.add_flag("--standalone", raw.standalone, "Watch this machine without an agent; needs root.");
  app.add_option("--mode", raw.mode, "standalone, or cluster (not in this version).")
      ->type_name("MODE");
  app.add_option("-o,--output", raw.output, "table, wide or json (an object per line).")
      ->type_name("FORMAT");
  app.add_option("--color", raw.color, "auto, always or never; NO_COLOR is respected.")
      ->type_name("WHEN");
  app.add_option("--connect-timeout", raw.connect_timeout, "How long to try an agent; 3s.")
      ->type_name("TIME");
  add_config_flags(app, raw.settings,
                   {"interface", "flow_source", "tc_attach", "tc_anchor", "max_flows",
                    "flow_timeout_secs", "snapshot_interval_ms", "ring_buffer_size"});
}

void add_filter_flags(CLI::App& app, RawOptions& raw) {
  add_list(app, "-n,--namespace", raw.namespaces, "NAME", "Flows of this namespace; repeatable.");
  add_list(app, "--pod", raw.pods, "NAME", "Flows of this pod; repeatable.");
  add_list(app, "--ip", raw.ips, "ADDR[/LEN]", "Address or prefix, either side; repeatable.");
  add_list(app, "--port", raw.ports, "PORT", "Port, either side; repeatable.");
  add_list(app, "--protocol", raw.protocols, "NAME",
           "tcp, udp, icmp, ... or a number; repeatable.");
  add_list(app, "--direction", raw.directions, "WAY", "ingress or egress.");
}

void add_flows(CLI::App& app, RawOptions& raw) {
  auto* flows = app.add_subcommand("flows", "The flows that are alive, largest first.");
  flows->footer(help::kFlowsExamples);
  flows->fallthrough();
  add_filter_flags(*flows, raw);
  flows->add_option("--limit", raw.limit, "Show so many at most; 0: all that one answer holds. 20.")
      ->type_name("COUNT");
  flows->add_option("--sort", raw.sort, "bytes, packets or last-seen.")->type_name("KEY");
  flows->add_option("--watch", raw.watch, "Show again every so often; 2s.")
      ->type_name("[TIME]")
      ->expected(0, 1)
      ->each([&raw](const std::string&) { raw.watching = true; })
      ->trigger_on_parse();
  flows->add_option("--duration", raw.duration, "Standalone: collect for so long first; 3s.")
      ->type_name("TIME");
}

void add_trace(CLI::App& app, RawOptions& raw) {
  auto* trace = app.add_subcommand("trace", "Live events.");
  trace->require_subcommand(1);
  trace->fallthrough();
  auto* network = trace->add_subcommand("network", "Network flows as they start, move and end.");
  network->footer(help::kTraceExamples);
  network->fallthrough();
  add_filter_flags(*network, raw);
  network->add_option("--duration", raw.duration, "End after this time, as 30s or 5m.")
      ->type_name("TIME");
  network->add_flag("--packets", raw.packets, "One line for each packet.");
}

}  // namespace

void build_command_tree(CLI::App& app, RawOptions& raw) {
  app.name("orb8");
  app.description(help::kAbout);
  app.footer(help::kExamples);
  app.require_subcommand(0, 1);
  add_global_flags(app, raw);
  auto* status = app.add_subcommand("status", "Health, probes and losses of the agent.");
  status->footer(help::kStatusExamples);
  status->fallthrough();
  add_flows(app, raw);
  add_trace(app, raw);
  app.add_subcommand("version", "Print the version.")->fallthrough();
  auto* completion = app.add_subcommand("completion", "Print a completion script.");
  completion->fallthrough();
  completion->add_option("shell", raw.shell, "bash, zsh or fish.")->type_name("SHELL");
  completion->footer(
      "Examples:\n"
      "  source <(orb8 completion bash)\n"
      "  orb8 completion zsh > ~/.zfunc/_orb8\n"
      "  orb8 completion fish > ~/.config/fish/completions/orb8.fish");
}

std::string chosen_command(const CLI::App& app) {
  std::string words;
  const auto* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    words += (words.empty() ? "" : " ") + at->get_name();
  }
  return words;
}

}  // namespace orb8
