// SPDX-License-Identifier: Apache-2.0
#include "cli/run.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <ostream>

#include "cli/backend.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/remote_backend.h"
#include "cli/standalone_backend.h"
#include "cli/terminal.h"
#include "core/base/log.h"
#include "core/base/version.h"
#include "core/config/load.h"

namespace orb8 {
namespace {

// How long the agent of this machine gets when nobody asked for it: it is there or it is not.
constexpr auto kQuickTry = std::chrono::milliseconds(1000);

Result<std::unique_ptr<Backend>> standalone(const CliOptions& options, const Surroundings& around) {
  auto loaded =
      load_config({.flags = options.settings, .environment = around.environment, .file = {}});
  if (!loaded) return std::unexpected(loaded.error());
  return start_standalone(loaded->config);
}

Result<std::unique_ptr<Backend>> choose_backend(const CliOptions& options,
                                                const Surroundings& around) {
  if (options.standalone) return standalone(options, around);
  if (options.agent_named) {
    auto agent = connect_to_agent(options.agent, options.connect_timeout);
    if (agent) return agent;
    return fail(agent.error().code,
                agent.error().what + " (tried for " +
                    std::to_string(options.connect_timeout.count()) +
                    " ms); is orb8-agent running there? sudo orb8 --standalone needs none");
  }
  auto agent = connect_to_agent(
      options.agent, std::min<std::chrono::milliseconds>(kQuickTry, options.connect_timeout));
  if (agent) {
    around.err << "orb8: asking the agent at " << options.agent << "\n";
    return agent;
  }
  around.err << "orb8: " << agent.error().what << ": watching this machine (standalone)\n";
  return standalone(options, around);
}

}  // namespace

int run(const std::vector<std::string>& arguments, const Surroundings& around) {
  auto parsed = parse_cli(arguments, around.environment);
  if (!parsed.options) {
    (parsed.exit_status == 0 ? around.out : around.err) << parsed.text << std::flush;
    return parsed.exit_status;
  }
  const auto& options = *parsed.options;
  if (options.command == Command::kVersion) {
    around.out << "orb8 " << version() << std::endl;
    return 0;
  }
  if (options.command == Command::kCompletion) {
    around.out << completion_script(options.completion) << std::flush;
    return 0;
  }
  init_log(LogLevel::kWarn);  // what the probes have to say about trouble; answers go to stdout
  auto backend = choose_backend(options, around);
  if (!backend) return report(backend.error(), around.err);
  const Session session{.out = around.out,
                        .err = around.err,
                        .style = style_for_stdout(options, around.environment),
                        .terminal = ::isatty(STDOUT_FILENO) == 1,
                        .stop = around.stop};
  switch (options.command) {
    case Command::kStatus:
      return run_status(**backend, options, session);
    case Command::kFlows:
      return run_flows(**backend, options, session);
    default:
      return run_trace(**backend, options, session);
  }
}

}  // namespace orb8
