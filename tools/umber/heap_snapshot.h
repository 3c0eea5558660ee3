// A heap snapshot in V8's format, as heap::write_snapshot, node and Chrome write it: read whole, and checked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace umber::tool {

enum class edge_kind : std::uint8_t { named, indexed, weak };

struct heap_snapshot {
  // By node; number 0 is the root.
  std::vector<std::uint32_t> names;
  std::vector<std::uint8_t> types;  // in `node_types`
  std::vector<std::uint64_t> ids;
  std::vector<std::uint64_t> bytes;
  std::vector<std::uint64_t> first_edge;  // and one more, for the last one's end
  // By edge.
  std::vector<std::uint32_t> targets;
  std::vector<std::uint32_t> edge_names;  // a string, or an index
  std::vector<edge_kind> kinds;

  std::vector<std::string> strings;
  std::vector<std::string> node_types;

  [[nodiscard]] std::size_t node_count() const { return names.size(); }
  // How the object's kind is called: the name of what has a type, else the type in brackets.
  [[nodiscard]] std::string class_of(std::uint32_t node) const;
  // "[3]", ".left".
  [[nodiscard]] std::string edge_name(std::uint64_t edge) const;
};

// Throws `failure` with one line when the file cannot be read, is not whole, or is something else.
heap_snapshot read_heap_snapshot(const std::filesystem::path& file);

}  // namespace umber::tool
