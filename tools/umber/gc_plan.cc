// The tables say which arguments show what a workload is there to show. The paced rows keep a rate for a fixed time;
// the others do a fixed amount of work.
#include "gc_plan.h"

#include <algorithm>
#include <iterator>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "name_patterns.h"

namespace umber::tool {

namespace {

struct planned {
  const char* workload;
  const char* arguments;
  // What --quick runs in its place; a null pointer leaves the row out.
  const char* quick;
  // What it holds, of one for our heap alone.
  std::uint64_t own_live_bytes = 0;
};

constexpr double quick_scale = 0.3;

constexpr planned main_rows[] = {
    {"binary_trees", "", ""},
    {"binary_trees", "--threads 2", nullptr},
    {"gcbench", "", nullptr},
    {"message_ring", "--depth 23 --seconds 3", "--depth 19 --seconds 1"},
    {"message_ring", "--depth 23 --seconds 3 --random", nullptr},
    {"message_ring", "--depth 25 --seconds 3 --random", nullptr, std::uint64_t{4} << 30},
    {"message_ring", "--depth 23 --rate 0", nullptr},
    {"message_ring", "--depth 23 --rate 0 --random", nullptr},
    {"graph_mutate", "", ""},
    {"graph_mutate", "--beside 15000000", nullptr},
    {"lru_cache", "", ""},
    {"large_arrays", "", nullptr},
    {"linked_list", "", nullptr},
    {"ast", "", nullptr},
    {"threads", "", nullptr},
    {"threads", "--threads 8", nullptr},
    {"threads", "--threads 64", nullptr},
    {"churn_survive", "--survival 0.05", nullptr},
    {"churn_survive", "--survival 0.5", nullptr},
    {"leak_slow", "", nullptr},
    {"finalizer_storm", "", nullptr},
    {"weak_cache", "", nullptr},
    {"idle_return", "--seconds 4", nullptr},
    {"full_collection", "--depth 21", nullptr},
    {"full_collection", "--depth 21 --random", nullptr},
    {"full_collection", "--depth 23 --random", nullptr},
    {"kv", "--kind set", "--kind set --keys 50000"},
    {"kv", "--kind get", nullptr},
    {"kv", "--kind get --writers 50 --requests 1500000", nullptr},
    {"barrier", "--scale 0.2", nullptr},
    {"handshakes", "--threads 1000", nullptr},
};

// Time against the size of what lives: that of a collection, and that of the worst of a quarter of a million messages.
constexpr planned scaling_rows[] = {
    {"full_collection", "", ""},
    {"message_ring", "--seconds 2", "--seconds 1"},
};

constexpr planned tuning_rows[] = {{"binary_trees", "", ""}, {"lru_cache", "", nullptr}};

constexpr planned evolution_rows[] = {
    {"message_ring", "--depth 21 --seconds 3", "--depth 19 --seconds 1"},
    {"binary_trees", "", ""},
    {"graph_mutate", "", nullptr},
    {"threads", "--threads 8", nullptr},
    // Many that mostly sleep: who stops them all has all of them wait for the last.
    {"threads", "--threads 64 --rate 20000 --seconds 3", nullptr},
};

std::string name_with(const std::string& workload, const std::vector<std::string>& words) {
  return words.empty() ? workload : fmt::format("{} {}", workload, fmt::join(words, " "));
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), std::istream_iterator<std::string>()};
}

bool has(const std::vector<std::string>& arguments, const char* option) {
  return std::find(arguments.begin(), arguments.end(), option) != arguments.end();
}

// A row that runs for a time has no amount of work to scale.
void add_scale(const gc_plan_options& options, gc_row& row) {
  const double scale = options.scale.value_or(options.quick ? quick_scale : 1);
  if (scale == 1 || has(row.arguments, "--seconds") || has(row.arguments, "--scale")) return;
  row.arguments.insert(row.arguments.end(), {"--scale", fmt::format("{}", scale)});
}

// A complete tree of 2^(depth+1)-1 nodes of 64 bytes, the nearest that is not larger.
unsigned depth_of(std::uint64_t live_bytes) {
  unsigned depth = 0;
  while ((std::uint64_t{128} << (depth + 1)) <= live_bytes) ++depth;
  return depth;
}

void add_points(const gc_plan_options& options, const gc_row& row, std::vector<gc_row>& rows) {
  if (row.part == gc_part::scaling) {
    for (const std::uint64_t live : options.live_sizes) {
      gc_row point = row;
      point.live_bytes = live;
      point.arguments.insert(point.arguments.begin(), {"--depth", std::to_string(depth_of(live))});
      rows.push_back(point);
    }
  } else if (row.part == gc_part::tuning) {
    for (const unsigned percent : options.percents) {
      rows.push_back(row);
      rows.back().percent = percent;
    }
    for (const std::uint64_t limit : options.limits) {
      rows.push_back(row);
      rows.back().limit = limit;
    }
  } else {
    rows.push_back(row);
  }
}

// Another work than the plan's is measured once, however many rows the plan has for that workload.
bool is_there(const std::vector<gc_row>& rows, const gc_row& row) {
  return std::any_of(rows.begin(), rows.end(),
                     [&](const gc_row& each) { return each.part == row.part && each.study() == row.study(); });
}

class planner {
 public:
  planner(const gc_plan_options& options, const std::set<std::string>& workloads)
      : options_(options), workloads_(workloads) {}

  template <typename Table>
  void add(gc_part part, const Table& table) {
    if (options_.parts.count(part) == 0) return;
    for (const planned& each : table) {
      // A workload asked for by name is run whole, quick or not.
      const bool asked = !options_.workloads.empty();
      const bool too_large = each.own_live_bytes != 0 && (options_.quick || !options_.arguments.empty());
      if (too_large || (options_.quick && each.quick == nullptr && !asked)) continue;
      add_row(part, each.workload, options_.quick && each.quick != nullptr ? each.quick : each.arguments,
              each.own_live_bytes);
    }
  }

  void add_row(gc_part part, const std::string& workload, const std::string& arguments,
               std::uint64_t own_live_bytes = 0) {
    if (workloads_.count(workload) == 0) return;
    if (!options_.workloads.empty() && !matches(workload, options_.workloads)) return;
    gc_row row;
    row.part = part;
    row.workload = workload;
    row.own_live_bytes = own_live_bytes;
    row.arguments = options_.arguments.empty() ? words_of(arguments) : options_.arguments;
    add_scale(options_, row);
    std::vector<gc_row> points;
    add_points(options_, row, points);
    for (const gc_row& each : points) {
      if (part == gc_part::scaling || part == gc_part::tuning || !is_there(rows_, each)) rows_.push_back(each);
    }
  }

  // What a system has and the plan does not know.
  void add_unknown() {
    if (options_.parts.count(gc_part::main) == 0 || (options_.quick && options_.workloads.empty())) return;
    for (const std::string& workload : workloads_) {
      const bool known = std::any_of(std::begin(main_rows), std::end(main_rows),
                                     [&](const planned& each) { return workload == each.workload; });
      if (!known) add_row(gc_part::main, workload, "");
    }
  }

  [[nodiscard]] std::vector<gc_row> rows() const { return rows_; }

 private:
  const gc_plan_options& options_;
  const std::set<std::string>& workloads_;
  std::vector<gc_row> rows_;
};

}  // namespace

const char* name_of(gc_part part) {
  constexpr const char* names[] = {"main", "scaling", "tuning", "evolution"};
  return names[static_cast<std::size_t>(part)];
}

std::vector<std::string> gc_row::words() const {
  std::vector<std::string> all = arguments;
  if (percent) all.insert(all.end(), {"--percent", std::to_string(*percent)});
  if (limit) all.insert(all.end(), {"--limit", std::to_string(*limit)});
  return all;
}

std::string gc_row::name() const { return name_with(workload, words()); }

std::string gc_row::study() const { return name_with(workload, arguments); }

std::vector<gc_row> plan_rows(const gc_plan_options& options, const std::set<std::string>& workloads) {
  check_known(options.workloads, {workloads.begin(), workloads.end()}, "workload");
  planner plan(options, workloads);
  plan.add(gc_part::main, main_rows);
  plan.add_unknown();
  plan.add(gc_part::scaling, scaling_rows);
  plan.add(gc_part::tuning, tuning_rows);
  plan.add(gc_part::evolution, evolution_rows);
  return plan.rows();
}

}  // namespace umber::tool
