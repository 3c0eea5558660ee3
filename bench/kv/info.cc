// Names as redis has them where the meaning is the same. The section `gc` is the collector's.
#include "info.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

#include "list.h"
#include "server.h"
#include "set.h"
#include "sorted_set.h"
#include "words.h"

namespace kv {

namespace {

std::string about_server(server& of) {
  return fmt::format(
      "redis_version:{}\r\nserver_name:umber kv\r\nprocess_id:{}\r\ntcp_port:{}\r\nio_threads:{}\r\n"
      "uptime_in_seconds:{}\r\n",
      redis_version, getpid(), of.port(), of.options().threads, (now_ms() - of.started_at()) / 1000);
}

std::uint64_t sum(const server& of, std::atomic<std::uint64_t> counters::*what) {
  std::uint64_t all = 0;
  for (const counters* each : of.all_counters()) all += (each->*what).load(std::memory_order_relaxed);
  return all;
}

std::string about_clients(server& of) { return fmt::format("connected_clients:{}\r\n", sum(of, &counters::clients)); }

std::string about_stats(server& of) {
  return fmt::format("total_connections_received:{}\r\ntotal_commands_processed:{}\r\nprotocol_errors:{}\r\n",
                     sum(of, &counters::connections), sum(of, &counters::commands),
                     sum(of, &counters::protocol_errors));
}

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t pages = 0;
  file >> pages >> pages;
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

std::string about_memory(server& of) {
  const umber::heap_statistics now = of.heap().statistics();
  return fmt::format("used_memory:{}\r\nused_memory_rss:{}\r\nmaxmemory:{}\r\nmaxmemory_policy:noeviction\r\n",
                     now.live_bytes + now.allocated_bytes, resident_bytes(), of.options().max_memory);
}

std::string about_gc(server& of) {
  constexpr std::string_view causes[umber::stall_causes] = {"handshake", "assist", "sweep", "barrier", "wait"};
  const umber::heap_statistics now = of.heap().statistics();
  std::string text = fmt::format(
      "gc_cycles:{}\r\ngc_live_bytes:{}\r\ngc_heap_bytes:{}\r\ngc_goal_bytes:{}\r\ngc_allocated_bytes:{}\r\n"
      "gc_marked_objects:{}\r\ngc_mark_us:{}\r\ngc_assist_us:{}\r\ngc_sweep_us:{}\r\ngc_longest_stall_us:{}\r\n",
      now.cycles, now.live_bytes, now.heap_bytes, now.goal_bytes, now.allocated_bytes, now.marked_objects,
      now.mark_ns / 1000, now.assist_ns / 1000, now.sweep_ns / 1000, now.longest_stall_ns / 1000);
  for (std::size_t i = 0; i < umber::stall_causes; ++i)
    text += fmt::format("gc_stalls_{0}:{1}\r\ngc_longest_{0}_us:{2}\r\n", causes[i], now.stalls[i].count,
                        now.stalls[i].longest_ns / 1000);
  return text;
}

std::string about_keys(server& of) {
  std::size_t keys = 0, expiring = 0;
  for (unsigned shard = 0; shard < keyspace::shard_count; ++shard) {
    const locked_shards locked(of.keys(), shard_mask{1} << shard);
    keys += of.keys().size_of(shard);
    expiring += of.keys().expiring_in(shard);
  }
  return keys == 0 ? std::string() : fmt::format("db0:keys={},expires={}\r\n", keys, expiring);
}

std::size_t bytes_of(const umber::string* text) { return text == nullptr ? 0 : text->size() + 16; }

}  // namespace

std::string info_text(server& of, std::span<const std::string_view> sections) {
  struct section {
    std::string_view name, title;
    std::string (*text)(server&);
  };
  constexpr section all[] = {{"server", "Server", about_server},
                             {"clients", "Clients", about_clients},
                             {"memory", "Memory", about_memory},
                             {"stats", "Stats", about_stats},
                             {"gc", "GC", about_gc},
                             {"keyspace", "Keyspace", about_keys}};
  std::string text;
  for (const section& each : all) {
    const bool wanted = sections.empty() || std::any_of(sections.begin(), sections.end(), [&](std::string_view name) {
                          return same_word(name, each.name) || same_word(name, "all") ||
                                 same_word(name, "everything") || same_word(name, "default");
                        });
    if (wanted) text += fmt::format("{}# {}\r\n{}", text.empty() ? "" : "\r\n", each.title, each.text(of));
  }
  return text;
}

std::size_t bytes_of(const entry& e) {
  constexpr std::size_t place_in_map = 28;  // of a pair of pointers, with the places that are not used
  const std::size_t own = sizeof(entry) + place_in_map + bytes_of(e.key.get());
  if (const auto* text = e.as<umber::string>()) return own + bytes_of(text);
  // The others by the size of the first of their members.
  if (const auto* l = e.as<list>()) return own + sizeof(list) + l->size() * (10 + bytes_of(l->at(0)));
  if (const auto* s = e.as<set>()) return own + sizeof(set) + s->size() * (28 + bytes_of(s->at(0)));
  if (const auto* z = e.as<sorted_set>())
    return own + sizeof(sorted_set) +
           z->size() * (sizeof(sorted_set::node) + place_in_map + bytes_of(z->at(0)->member));
  const auto* h = e.as<hash>();
  for (const auto& [name, value] : h->fields)
    return own + sizeof(hash) + h->fields.size() * (place_in_map + bytes_of(name.get()) + bytes_of(value.get()));
  return own;
}

}  // namespace kv
