// SPDX-License-Identifier: Apache-2.0
#include "agent/options.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "core/base/version.h"
#include "core/config/flags.h"
#include "core/config/settings.h"
#include "core/metrics/registry.h"

namespace orb8 {
namespace {

constexpr int kBadUsage = 2;

constexpr const char* kAbout =
    "orb8-agent watches the network flows of this machine and answers for them:\n"
    "gRPC for orb8 and other clients, /healthz, /readyz and /metrics over HTTP. It needs root,\n"
    "or the capabilities BPF, PERFMON and NET_ADMIN.";

constexpr const char* kExamples =
    "Examples:\n"
    "  orb8-agent                            watch the interfaces that matter, serve on :9090\n"
    "  orb8-agent --interface 'veth*' --interface eth0\n"
    "  orb8-agent --max-flows 500000 --log-level debug\n"
    "  orb8-agent --print-config             show every setting, and where it comes from\n"
    "\n"
    "Settings are taken from flags, then ORB8_* variables, then the file, then defaults.\n";

// What is wrong with the words of the command line, in one sentence.
std::string usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const auto left = app.remaining();  // what is neither a flag nor a flag's value
  if (left.empty()) return error.what();
  const auto word = left.front().substr(0, left.front().find('='));
  if (!word.starts_with('-')) return "takes no argument like '" + word + "'";
  std::vector<std::string> known;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) known.push_back("--" + name);
  }
  const auto like = nearest(word, known);
  return "unknown flag " + word + (like.empty() ? "" : "; did you mean " + like + "?");
}

}  // namespace

Options parse_options(int argc, const char* const* argv) {
  CLI::App app(kAbout, "orb8-agent");
  app.footer(kExamples);
  app.set_version_flag("--version", std::string("orb8-agent ") + std::string(version()),
                       "Print the version.");
  std::string file;
  bool print = false;
  app.add_option("--config", file, "Configuration file, YAML. (ORB8_CONFIG)")
      ->envname("ORB8_CONFIG")
      ->type_name("PATH");
  app.add_flag("--print-config", print, "Print the configuration as YAML and exit.");
  bool print_metrics = false;
  app.add_flag("--print-metrics", print_metrics, "Print the table of all metrics and exit.");
  ConfigInput input;
  add_config_flags(app, input.flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& done) {
    return {.loaded = {}, .exit_status = app.exit(done)};
  } catch (const CLI::ParseError& error) {
    std::cerr << "orb8-agent: " << usage_error(app, error) << "; see orb8-agent --help\n";
    return {.loaded = {}, .exit_status = kBadUsage};
  }
  if (print_metrics) {
    std::cout << registry_markdown();
    return {};
  }
  input.environment = [](const std::string& name) { return std::getenv(name.c_str()); };
  input.variables = variable_names();
  if (!file.empty()) input.file = file;
  auto loaded = load_config(input);
  if (!loaded) {
    std::cerr << "orb8-agent: " << loaded.error().what << "\n";
    return {.loaded = {}, .exit_status = kBadUsage};
  }
  if (print) {
    for (const auto& warning : loaded->warnings) std::cerr << "orb8-agent: " << warning << "\n";
    std::cout << print_config(*loaded);
    return {};
  }
  return {.loaded = std::move(*loaded)};
}

}  // namespace orb8
