// `umber heap FILE`: what a heap snapshot holds, by types, and what keeps it: the dominators of dominators.h.
#include <algorithm>
#include <charconv>
#include <memory>
#include <numeric>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "command.h"
#include "dominators.h"
#include "table.h"

namespace umber::tool {

namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t shown_at_each_end = 12;  // of a path

struct heap_question {
  std::string file;
  std::string path_to;
  std::size_t top = 20;
  bool as_json = false;
};

struct type_figures {
  std::string name;
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  std::uint64_t retained = 0;  // by all of its objects together
};

// A snapshot and what was found out about it.
class explored_heap {
 public:
  explicit explored_heap(const heap_snapshot& snapshot) : snapshot_(snapshot), tree_(find_dominators(snapshot)) {
    find_types();
    find_retained();
  }

  const heap_snapshot& snapshot() const { return snapshot_; }
  const dominator_tree& tree() const { return tree_; }
  const std::vector<type_figures>& types() const { return types_; }
  std::uint32_t type_of(std::uint32_t node) const { return type_of_[node]; }
  bool is_reached(std::uint32_t node) const { return node == 0 || tree_.dominator[node] != dominator_tree::none; }
  std::uint64_t objects() const { return sum(&type_figures::objects); }
  std::uint64_t bytes() const { return sum(&type_figures::bytes); }

 private:
  std::uint64_t sum(std::uint64_t type_figures::*figure) const {
    return std::accumulate(types_.begin(), types_.end(), std::uint64_t{0},
                           [&](std::uint64_t all, const type_figures& t) { return all + t.*figure; });
  }

  // Strings and types are few, nodes many.
  void find_types() {
    std::unordered_map<std::string, std::uint32_t> by_name;
    std::unordered_map<std::uint64_t, std::uint32_t> by_string;
    type_of_.resize(snapshot_.node_count());
    for (std::uint32_t node = 0; node < snapshot_.node_count(); ++node) {
      const std::uint64_t key = std::uint64_t{snapshot_.types[node]} << 32 | snapshot_.names[node];
      auto known = by_string.find(key);
      if (known == by_string.end()) {
        const std::string name = snapshot_.class_of(node);
        const auto fresh = by_name.emplace(name, static_cast<std::uint32_t>(types_.size()));
        if (fresh.second) types_.push_back({name});
        known = by_string.emplace(key, fresh.first->second).first;
      }
      type_of_[node] = known->second;
      if (!is_reached(node)) continue;
      types_[known->second].objects += snapshot_.bytes[node] != 0;
      types_[known->second].bytes += snapshot_.bytes[node];
    }
  }

  // Down the tree of dominators: an object counts for its type unless one of that type is above it.
  void find_retained() {
    std::vector<std::uint32_t> child(snapshot_.node_count(), dominator_tree::none), sibling(child);
    for (std::size_t i = tree_.order.size(); i-- > 1;) {
      const std::uint32_t node = tree_.order[i], above = tree_.dominator[node];
      sibling[node] = child[above];
      child[above] = node;
    }
    std::vector<std::uint32_t> open(types_.size(), 0);
    const auto enter = [&](std::uint32_t node) {
      if (open[type_of_[node]]++ == 0) types_[type_of_[node]].retained += tree_.retained[node];
    };
    std::uint32_t at = 0;
    enter(at);
    for (;;) {
      if (child[at] != dominator_tree::none) {
        at = child[at];
        enter(at);
        continue;
      }
      while (sibling[at] == dominator_tree::none) {
        --open[type_of_[at]];
        if (at == 0 || (at = tree_.dominator[at]) == 0) return;
      }
      --open[type_of_[at]];
      at = sibling[at];
      enter(at);
    }
  }

  const heap_snapshot& snapshot_;
  dominator_tree tree_;
  std::vector<type_figures> types_;
  std::vector<std::uint32_t> type_of_;
};

std::string size_text(std::uint64_t bytes) {
  const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit < 4; ++unit) value /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

// The object meant by "@17", "17" or a type, of which it is that which retains most.
std::uint32_t find_object(const explored_heap& heap, std::string_view wanted) {
  const heap_snapshot& s = heap.snapshot();
  const std::string_view digits = wanted.substr(wanted.starts_with("@") ? 1 : 0);
  std::uint64_t id = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), id);
  const bool is_id = parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size();
  std::uint32_t found = dominator_tree::none;
  for (std::uint32_t node = 1; node < s.node_count(); ++node) {
    if (!heap.is_reached(node)) continue;
    const bool fits = is_id ? s.ids[node] == id : heap.types()[heap.type_of(node)].name == wanted;
    if (fits && (found == dominator_tree::none || heap.tree().retained[node] > heap.tree().retained[found]))
      found = node;
  }
  if (found != dominator_tree::none) return found;
  if (is_id) throw failure(1, fmt::format("no object @{} is reached in this snapshot", id));
  throw failure(1, fmt::format("no object of type '{}' in this snapshot; without --path the types are listed", wanted));
}

// The edges of a shortest way from the root.
std::vector<std::uint64_t> find_path(const heap_snapshot& s, std::uint32_t wanted) {
  constexpr std::uint64_t unseen = UINT64_MAX;
  std::vector<std::uint64_t> via(s.node_count(), unseen);
  std::vector<std::uint32_t> from(s.node_count(), 0), queue(1, 0);
  for (std::size_t next = 0; next < queue.size() && (wanted == 0 || via[wanted] == unseen); ++next) {
    const std::uint32_t node = queue[next];
    for (std::uint64_t e = s.first_edge[node]; e != s.first_edge[node + 1]; ++e) {
      const std::uint32_t to = s.targets[e];
      if (s.kinds[e] == edge_kind::weak || via[to] != unseen || to == 0) continue;
      via[to] = e;
      from[to] = node;
      queue.push_back(to);
    }
  }
  std::vector<std::uint64_t> path;
  for (std::uint32_t node = wanted; node != 0; node = from[node]) path.push_back(via[node]);
  std::reverse(path.begin(), path.end());
  return path;
}

std::string path_text(const explored_heap& heap, const std::vector<std::uint64_t>& path) {
  const heap_snapshot& s = heap.snapshot();
  std::string text;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (i == shown_at_each_end && path.size() > 2 * shown_at_each_end) {
      i = path.size() - shown_at_each_end;
      text += fmt::format("... {} more ...\n", i - shown_at_each_end);
    }
    const std::uint32_t node = s.targets[path[i]];
    const std::string name = heap.types()[heap.type_of(node)].name;
    if (s.bytes[node] == 0 && i == 0)
      text += name + "\n";
    else
      text += fmt::format("{} {} @{}, {}, retains {}\n", s.edge_name(path[i]), name, s.ids[node],
                          size_text(s.bytes[node]), size_text(heap.tree().retained[node]));
  }
  return text;
}

// By what they retain, largest first; what has no size is no type but a group of roots.
std::vector<type_figures> by_retained(const explored_heap& heap, bool roots) {
  std::vector<type_figures> list;
  for (const type_figures& t : heap.types())
    if ((t.bytes == 0) == roots && t.retained != 0) list.push_back(t);
  std::sort(list.begin(), list.end(), [](const type_figures& a, const type_figures& b) {
    return a.retained != b.retained ? a.retained > b.retained : a.name < b.name;
  });
  return list;
}

std::string types_text(const explored_heap& heap, std::size_t top) {
  table lines({align::right, align::right, align::right, align::left});
  lines.add({"retained", "shallow", "objects", "type"});
  const std::vector<type_figures> types = by_retained(heap, false);
  for (std::size_t i = 0; i < types.size() && i < top; ++i)
    lines.add(
        {size_text(types[i].retained), size_text(types[i].bytes), std::to_string(types[i].objects), types[i].name});
  std::string text = fmt::format("{} objects, {}\n\n", heap.objects(), size_text(heap.bytes())) + lines.text();
  if (types.size() > top) text += fmt::format("... {} more types (--top)\n", types.size() - top);
  table holders({align::right, align::left});
  for (const type_figures& t : by_retained(heap, true))
    if (!t.name.empty()) holders.add({size_text(t.retained), t.name});
  return text + "\nheld only by\n" + holders.text();
}

json types_json(const std::vector<type_figures>& types, std::size_t top) {
  json list = json::array();
  for (std::size_t i = 0; i < types.size() && i < top; ++i)
    list.push_back({{"type", types[i].name},
                    {"objects", types[i].objects},
                    {"bytes", types[i].bytes},
                    {"retained", types[i].retained}});
  return list;
}

json path_json(const explored_heap& heap, const std::vector<std::uint64_t>& path) {
  const heap_snapshot& s = heap.snapshot();
  json list = json::array();
  for (const std::uint64_t edge : path) {
    const std::uint32_t node = s.targets[edge];
    list.push_back({{"edge", s.edge_name(edge)},
                    {"type", heap.types()[heap.type_of(node)].name},
                    {"id", s.ids[node]},
                    {"bytes", s.bytes[node]},
                    {"retained", heap.tree().retained[node]}});
  }
  return list;
}

int show_heap(const heap_question& question) {
  const heap_snapshot snapshot = read_heap_snapshot(question.file);
  const explored_heap heap(snapshot);
  std::vector<std::uint64_t> path;
  if (!question.path_to.empty()) path = find_path(snapshot, find_object(heap, question.path_to));
  if (question.as_json) {
    json document = {{"file", question.file}, {"objects", heap.objects()}, {"bytes", heap.bytes()}};
    document["types"] = types_json(by_retained(heap, false), question.top);
    document["roots"] = types_json(by_retained(heap, true), SIZE_MAX);
    if (!question.path_to.empty()) document["path"] = path_json(heap, path);
    // A name may be no UTF-8.
    fmt::print("{}\n", document.dump(2, ' ', false, json::error_handler_t::replace));
  } else {
    fmt::print("{}", question.path_to.empty() ? types_text(heap, question.top) : path_text(heap, path));
  }
  if (std::fflush(stdout) != 0) throw failure(1, "cannot write the report");
  return 0;
}

}  // namespace

void add_heap(CLI::App& program, action& chosen) {
  const auto question = std::make_shared<heap_question>();
  CLI::App* command = program.add_subcommand("heap", "Show what a heap snapshot holds, and what keeps it alive");
  command->add_option("file", question->file, "The snapshot: of heap::write_snapshot, node or Chrome")->required();
  command->add_option("--path", question->path_to, "Show what keeps an object alive: its id, or a type")
      ->type_name("ID|TYPE");
  command->add_option("--top", question->top, "How many types to show")->capture_default_str();
  command->add_flag("--json", question->as_json, "Print as JSON");
  command->callback([question, &chosen] { chosen = [question] { return show_heap(*question); }; });
}

}  // namespace umber::tool
