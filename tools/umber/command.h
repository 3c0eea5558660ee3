// The commands of the program `umber`. Each adds its own options to the parser and, when it is the one chosen, leaves
// the function to call in `chosen`; what that returns is the exit status. A new command is one function here and its
// file.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <stdexcept>
#include <string>

namespace umber::tool {

using action = std::function<int()>;

// An error to be shown as one line, with the exit status that goes with it: 2 for a wrong command line, 1 for the rest.
class failure : public std::runtime_error {
 public:
  failure(int status, const std::string& line) : std::runtime_error(line), status_(status) {}
  [[nodiscard]] int status() const { return status_; }

 private:
  int status_;
};

void add_run(CLI::App& program, action& chosen);
void add_doctor(CLI::App& program, action& chosen);
void add_heap(CLI::App& program, action& chosen);
void add_report(CLI::App& program, action& chosen);
void add_kv(CLI::App& program, action& chosen);
// `bench` is a command with commands of its own: these add `malloc`, `gc` and `kv` below it.
void add_bench_malloc(CLI::App& bench, action& chosen);
void add_bench_gc(CLI::App& bench, action& chosen);
void add_bench_kv(CLI::App& bench, action& chosen);

}  // namespace umber::tool
