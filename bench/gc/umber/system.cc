#include "system.h"

#include "bench/measure/recorder.h"

#include <algorithm>
#include <charconv>

namespace bench {

namespace {

constexpr const char* kind_names[] = {"hybrid", "deletion", "insertion", "stop_the_world"};

bool parse(std::string_view text, std::size_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

template <bool Stops>
void tell_lane(void*, umber::stall_cause told, std::uint64_t, std::uint64_t ns) noexcept {
  if (lane* l = lane::of_this_thread(); l != nullptr) l->stalled(cause_of(told, Stops), ns);
}

umber::heap_options options_of(const memory_choices& chosen) {
  umber::heap_options options;
  if (chosen.percent) options.percent = *chosen.percent;
  if (chosen.never_by_itself) options.percent = umber::heap_options::off;
  if (chosen.limit) options.limit = *chosen.limit;
  options.workers = chosen.workers;
  options.kind = chosen.kind;
  options.on_stall = chosen.kind == umber::barrier::hybrid ? tell_lane<false> : tell_lane<true>;
  return options;
}

}  // namespace

const char* take_option(std::string_view name, std::string_view value, memory_choices& chosen) {
  if (name == "--collector") {
    const auto* found = std::find(std::begin(kind_names), std::end(kind_names), value);
    if (found == std::end(kind_names)) return "--collector takes hybrid, deletion, insertion or stop_the_world";
    chosen.kind = static_cast<umber::barrier>(found - std::begin(kind_names));
    return nullptr;
  }
  std::size_t number = 0;
  if (name != "--percent" && name != "--limit" && name != "--workers") return "there is no such option";
  if (!parse(value, number)) return "it takes a whole number";
  if (name == "--percent")
    chosen.percent = number;
  else if (name == "--limit")
    chosen.limit = number;
  else if (number > 1024)
    return "at most 1024 threads can mark";
  else
    chosen.workers = static_cast<unsigned>(number);
  return nullptr;
}

std::vector<std::pair<const char*, std::string>> listed(const memory_choices& chosen) {
  std::vector<std::pair<const char*, std::string>> result;
  if (chosen.percent) result.emplace_back("percent", std::to_string(*chosen.percent));
  if (chosen.limit) result.emplace_back("limit", std::to_string(*chosen.limit));
  if (chosen.workers != 0) result.emplace_back("workers", std::to_string(chosen.workers));
  result.emplace_back("collector", kind_names[static_cast<std::size_t>(chosen.kind)]);
  return result;
}

memory::memory(const memory_choices& chosen) : measured_heap(options_of(chosen)) {}

}  // namespace bench
