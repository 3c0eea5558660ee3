// The table of steps names, for each, the patterns in which it shows.
#include "bench_evolution.h"

#include <algorithm>
#include <iterator>

#include "name_patterns.h"
#include "places.h"

namespace umber::tool {

namespace {

constexpr const char* baseline = "umber";
constexpr const char* names[] = {"bump",   "first_fit", "next_fit", "best_fit", "segregated",
                                 "arenas", "central",   "mcache",   baseline};

struct known_step {
  const char* from;
  const char* to;
  const char* why;
  std::vector<const char*> rows;
};

const std::vector<known_step>& known_steps() {
  static const std::vector<known_step> steps = {
      {"bump", "first_fit", "what is freed is used again, for the price of looking for it", {"churn", "phases"}},
      {"first_fit",
       "next_fit",
       "the search goes on where the last one ended, to be spared the small rests at the front; where the block freed "
       "last comes first it is no gain",
       {"churn", "churn-mixed"}},
      {"next_fit",
       "best_fit",
       "the smallest block that fits wastes least, but all have to be looked at",
       {"churn", "churn-mixed"}},
      {"best_fit", "segregated", "a list for each size: no search at all", {"churn", "churn-mixed", "batches"}},
      {"segregated",
       "arenas",
       "a contiguous heap shrinks only at its end; an arena that is empty goes back wherever it is",
       {"pinned-end", "phases"}},
      {"arenas",
       "central",
       "a lock for each size: threads wait only for those that want the same",
       {"churn-threads", "batches-threads"}},
      {"central",
       "mcache",
       "each thread has blocks of its own and takes a lock for a batch only",
       {"batches", "churn-threads", "batches-threads", "handed-on"}},
      {"mcache",
       baseline,
       "caches of a processor and not of a thread, larger spans, memory given back, and every misuse seen",
       {"churn", "batches-threads", "handed-on", "phases"}},
  };
  return steps;
}

void add_figures(const row_result& row, const known_step& known, evolution_step& step) {
  const auto from = row.cells.find(known.from);
  const auto to = row.cells.find(known.to);
  if (from == row.cells.end() || to == row.cells.end()) return;
  if (!from->second.problem.empty() || !to->second.problem.empty()) return;
  if (row.is_timed()) {
    step.figures.push_back({row.row.name, "seconds", from->second.seconds, to->second.seconds});
    step.figures.push_back({row.row.name, "peak_rss_kb", from->second.peak_rss_kb, to->second.peak_rss_kb});
  } else if (!from->second.runs.empty()) {
    step.figures.push_back({row.row.name, from->second.runs.front().figure, from->second.value, to->second.value});
  }
}

}  // namespace

std::vector<allocator> textbook_allocators(const std::vector<std::string>& wanted) {
  check_known(wanted, {std::begin(names), std::end(names)}, "textbook allocator");
  std::vector<allocator> chosen;
  for (const char* each : names) {
    if (wanted.empty() || each == std::string(baseline) || matches(each, wanted))
      chosen.push_back({each, each, "UMBER_EVOLUTION"});
  }
  return chosen;
}

std::vector<job> evolution_jobs(const job_options& options) {
  std::vector<job> rows =
      listed_jobs(need_bench_program("umber-evolution", "UMBER_EVOLUTION_PROGRAM").string(), options);
  for (job& each : rows) each.quick = true;
  return rows;
}

std::vector<evolution_step> allocator_steps(const comparison& all) {
  std::vector<evolution_step> steps;
  for (const known_step& known : known_steps()) {
    evolution_step step{known.from, known.to, known.why, {}};
    for (const row_result& row : all.rows) {
      if (std::find(known.rows.begin(), known.rows.end(), row.row.name) != known.rows.end())
        add_figures(row, known, step);
    }
    if (!step.figures.empty()) steps.push_back(step);
  }
  return steps;
}

}  // namespace umber::tool
