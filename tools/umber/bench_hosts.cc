// Every host is made deterministic: a fixed hash seed, the C locale, no input, output that must not differ between
// allocators.
#include "bench_hosts.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "places.h"

namespace umber::tool {

namespace {

constexpr host_program hosts[] = {
    {"python3", "dicts, lists, strings and objects, PYTHONMALLOC=malloc"},
    {"lua5.4", "binary trees and tables of strings"},
    {"sqlite3", "an in-memory database: inserts, indexes, joins, text functions"},
    {"redis-server", "a server under redis-benchmark, over a unix socket"},
    {"g++", "a file of templates, compiled to assembler"},
    {"perl", "hashes, arrays and strings"},
};

// A whole number near `count * scale`, for the scripts.
std::string scaled(double count, double scale) {
  return fmt::format("{:.0f}", std::max(1.0, std::round(count * scale)));
}

// The words that run a host, without the allocator. Redis gets the arguments of its load: see bench_redis.
command_line command_for(const std::string& name, const std::string& program, const std::string& scripts,
                         double scale) {
  command_line command;
  command.environment = {{"LC_ALL", "C"}};
  if (name == "python3") {
    command.words = {program, "-S", scripts + "/python3.py", scaled(4, scale)};
    command.environment.insert(command.environment.end(), {{"PYTHONMALLOC", "malloc"}, {"PYTHONHASHSEED", "0"}});
  } else if (name == "lua5.4") {
    command.words = {program, scripts + "/lua.lua", scaled(20, scale)};
  } else if (name == "sqlite3") {
    command.words = {program,    "-batch",
                     "-cmd",     ".parameter set :rows " + scaled(80000, scale),
                     ":memory:", ".read " + scripts + "/sqlite3.sql"};
  } else if (name == "redis-server") {
    command.words = {program, scaled(100000, scale)};
  } else if (name == "g++") {
    command.words = {program, "-std=c++20", "-O1", "-S", "-o", "-", scripts + "/templates.cc"};
  } else if (name == "perl") {
    command.words = {program, scripts + "/perl.pl", scaled(2, scale)};
    command.environment.emplace_back("PERL_HASH_SEED", "0");
  }
  return command;
}

}  // namespace

std::span<const host_program> known_hosts() { return hosts; }

std::vector<job> host_jobs(double scale) {
  const auto scripts = find_host_scripts();
  std::vector<job> rows;
  for (const host_program& each : hosts) {
    const bool redis = std::strcmp(each.program, "redis-server") == 0;
    const auto program = find_program(each.program);
    if (!program || (!scripts && !redis)) continue;
    if (redis && !find_program("redis-benchmark")) continue;
    job row;
    row.name = fmt::format("host:{}", redis                                      ? "redis"
                                      : std::strcmp(each.program, "lua5.4") == 0 ? "lua"
                                                                                 : each.program);
    row.group = "hosts";
    row.description = each.description;
    row.scale = scale;
    row.kind = redis ? job_kind::redis : job_kind::host;
    row.command = command_for(each.program, program->string(), scripts ? scripts->string() : "", scale);
    row.quick = std::strcmp(each.program, "python3") == 0 || std::strcmp(each.program, "sqlite3") == 0;
    rows.push_back(row);
  }
  return rows;
}

}  // namespace umber::tool
