// SPDX-License-Identifier: Apache-2.0
#include "cli/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <ostream>

#include "cli/backend.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/file_backend.h"
#include "cli/format.h"
#include "cli/remote_backend.h"
#include "cli/standalone_backend.h"
#include "core/base/log.h"
#include "core/base/version.h"

namespace orb8 {
namespace {

// How long the agent of this machine gets when nobody asked for it: it is there or it is not.
constexpr std::chrono::milliseconds kQuickTry{1000};

Result<std::unique_ptr<Backend>> standalone(const CliOptions& options, const Surroundings& around) {
  const auto say = [&](const std::string& line) { around.err << "orb8: " << line << "\n"; };
  return start_standalone({.settings = options.settings,
                           .config_file = options.config_file,
                           .environment = around.environment,
                           .variables = around.variables,
                           .warn = say,
                           .progress =
                               [&](const std::string& line) {
                                 if (around.err_terminal) say(line);
                               },
                           .command = options.command_words});
}

// "agent" where one was asked for, or answers unasked; else this machine itself. Which of them, is
// said where it was not asked for.
Result<std::unique_ptr<Backend>> choose_backend(const CliOptions& options,
                                                const Surroundings& around) {
  if (options.standalone) return standalone(options, around);
  const auto time =
      options.agent_named ? options.connect_timeout : std::min(kQuickTry, options.connect_timeout);
  auto agent = connect_to_agent({.agent = options.agent, .connect = {time, around.stop}});
  if (agent) {
    if (!options.agent_named) around.err << "orb8: asking the agent at " << options.agent << "\n";
    return agent;
  }
  if (around.stop.stop_requested()) return agent;
  if (options.agent_named) {
    return fail(agent.error().code,
                fmt::format("{}; start orb8-agent there, name another with --agent HOST:PORT, or "
                            "watch this machine with sudo orb8 {} --standalone",
                            agent.error().what, options.command_words));
  }
  around.err << "orb8: " << printable(agent.error().what)
             << "; watching this machine itself (standalone)" << "\n";
  return standalone(options, around);
}

int run_command(Backend& backend, const CliOptions& options, const Session& session) {
  switch (options.command) {
    case Command::kStatus:
      return run_status(backend, options, session);
    case Command::kFlows:
      return run_flows(backend, options, session);
    case Command::kPods:
      return run_pods(backend, options, session);
    default:
      return run_trace(backend, options, session);
  }
}

Session session_for(const CliOptions& options, const Surroundings& around) {
  return {.out = around.out,
          .err = around.err,
          .style = style_for(options, around.screen, around.environment),
          .screen = around.screen,
          .stop = around.stop,
          .reader_gone = around.reader_gone};
}

// A saved trace instead of an agent. What could not be read of it is told in the end, and is a
// failure, though all the rest was shown.
int replay(const std::string& path, const CliOptions& options, const Surroundings& around) {
  auto file = FileBackend::open(path);
  if (!file) return report(file.error(), around.err);
  const int status = run_command(**file, options, session_for(options, around));
  if (!around.out || around.reader_gone()) return status;
  return (*file)->tell(around.err) || status != 0 ? status : 1;
}

int answer(const CliOptions& options, const Surroundings& around) {
  if (options.command == Command::kVersion) {
    around.out << "orb8 " << version() << "\n";
    return 0;
  }
  if (options.command == Command::kCompletion) {
    around.out << completion_script(options.shell);
    return 0;
  }
  if (options.input_file) return replay(*options.input_file, options, around);
  init_log(LogLevel::kWarn);  // what the probes have to say about trouble
  auto backend = choose_backend(options, around);
  if (!backend) return report(backend.error(), around.err);
  return run_command(**backend, options, session_for(options, around));
}

}  // namespace

int run(const std::vector<std::string>& arguments, const Surroundings& around) {
  const auto parsed = parse_cli(arguments, around.environment);
  int status = parsed.exit_status;
  if (parsed.options) {
    status = answer(*parsed.options, around);
  } else {
    (status == 0 ? around.out : around.err) << parsed.text;
  }
  around.err.flush();
  around.out.flush();
  if (around.out || around.reader_gone()) return status;
  around.err << "orb8: standard output cannot be written" << "\n";
  return 1;
}

}  // namespace orb8
