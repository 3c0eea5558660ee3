// The numbers of a snapshot, hundreds of megabytes of them, are taken from the parser one by one; no tree is built.
#include "heap_snapshot.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string_view>

#include <fmt/format.h>
#include <simdjson.h>

#include "command.h"

namespace umber::tool {

namespace {

using simdjson::ondemand::array;
using simdjson::ondemand::object;
using simdjson::ondemand::value;

constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();
constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();

[[noreturn]] void refuse(const std::filesystem::path& file, std::string_view why) {
  throw failure(1, fmt::format("{}: not a whole heap snapshot ({}); write it again", file.string(), why));
}

// What is wrong with the contents; the file is named where it is caught.
class flaw : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

void expect(bool condition, const char* what) {
  if (!condition) throw flaw(what);
}

// Where the fields are that we need, in the order in which the file has them.
struct meta_data {
  std::vector<std::string> node_fields, node_types, edge_fields, edge_types;
  std::uint64_t node_count = 0, edge_count = 0;

  static std::size_t place(const std::vector<std::string>& fields, std::string_view name) {
    const auto at = std::find(fields.begin(), fields.end(), name);
    return at == fields.end() ? nowhere : static_cast<std::size_t>(at - fields.begin());
  }
};

std::vector<std::string> texts(array list) {
  std::vector<std::string> result;
  for (value each : list) result.emplace_back(std::string_view(each.get_string()));
  return result;
}

// The first element of a list, a list itself.
std::vector<std::string> first_texts(array list) {
  for (value each : list) return texts(each.get_array());
  return {};
}

meta_data read_meta(object snapshot) {
  meta_data meta;
  for (auto field : snapshot) {
    const std::string_view key = field.unescaped_key();
    if (key == "node_count") meta.node_count = field.value().get_uint64();
    if (key == "edge_count") meta.edge_count = field.value().get_uint64();
    if (key != "meta") continue;
    for (auto part : field.value().get_object()) {
      const std::string_view name = part.unescaped_key();
      if (name == "node_fields") meta.node_fields = texts(part.value().get_array());
      if (name == "edge_fields") meta.edge_fields = texts(part.value().get_array());
      if (name == "node_types") meta.node_types = first_texts(part.value().get_array());
      if (name == "edge_types") meta.edge_types = first_texts(part.value().get_array());
    }
  }
  expect(!meta.node_types.empty() && !meta.edge_types.empty(), "it does not say what its numbers mean");
  expect(meta.node_types.size() < 256 && meta.node_count != 0 && meta.node_count < most, "the number of its objects");
  return meta;
}

// Calls visit(row, column, number) for numbers in rows of `columns`; returns how many rows there are.
template <class Visit>
std::uint64_t for_each_number(array numbers, std::size_t columns, Visit visit) {
  std::uint64_t row = 0;
  std::size_t column = 0;
  for (auto each : numbers) {
    visit(row, column, std::uint64_t(each.get_uint64()));
    if (++column != columns) continue;
    column = 0;
    ++row;
  }
  expect(column == 0, "a row of numbers ends too soon");
  return row;
}

void read_nodes(array numbers, const meta_data& meta, heap_snapshot& into) {
  const std::size_t type = meta.place(meta.node_fields, "type"), name = meta.place(meta.node_fields, "name"),
                    id = meta.place(meta.node_fields, "id"), size = meta.place(meta.node_fields, "self_size"),
                    edges = meta.place(meta.node_fields, "edge_count");
  expect(std::max({type, name, id, size, edges}) != nowhere, "it does not say what its numbers mean");
  const auto count = static_cast<std::size_t>(meta.node_count);
  for (auto* column : {&into.ids, &into.bytes}) column->resize(count);
  into.names.resize(count);
  into.types.resize(count);
  into.first_edge.assign(count + 1, 0);
  const std::uint64_t rows = for_each_number(
      numbers, meta.node_fields.size(), [&](std::uint64_t row, std::size_t column, std::uint64_t number) {
        expect(row < count, "more objects than it says");
        if (column == type) {
          expect(number < meta.node_types.size(), "a type of objects that it does not name");
          into.types[row] = static_cast<std::uint8_t>(number);
        } else if (column == name) {
          expect(number < most, "a string that it does not have");
          into.names[row] = static_cast<std::uint32_t>(number);
        } else if (column == id) {
          into.ids[row] = number;
        } else if (column == size) {
          into.bytes[row] = number;
        } else if (column == edges) {
          into.first_edge[row + 1] = into.first_edge[row] + number;
        }
      });
  expect(rows == count, "fewer objects than it says");
  expect(into.first_edge[count] == meta.edge_count, "another number of edges than its objects have");
}

void read_edges(array numbers, const meta_data& meta, heap_snapshot& into) {
  const std::size_t type = meta.place(meta.edge_fields, "type"), name = meta.place(meta.edge_fields, "name_or_index"),
                    to = meta.place(meta.edge_fields, "to_node");
  expect(std::max({type, name, to}) != nowhere, "it does not say what its numbers mean");
  const auto count = static_cast<std::size_t>(meta.edge_count);
  std::vector<edge_kind> kind_of;
  for (const std::string& each : meta.edge_types)
    kind_of.push_back(each == "weak"                          ? edge_kind::weak
                      : each == "element" || each == "hidden" ? edge_kind::indexed
                                                              : edge_kind::named);
  into.targets.resize(count);
  into.edge_names.resize(count);
  into.kinds.resize(count);
  const std::uint64_t fields = meta.node_fields.size();
  const std::uint64_t rows = for_each_number(
      numbers, meta.edge_fields.size(), [&](std::uint64_t row, std::size_t column, std::uint64_t number) {
        expect(row < count, "more edges than it says");
        if (column == type) {
          expect(number < kind_of.size(), "a type of edges that it does not name");
          into.kinds[row] = kind_of[number];
        } else if (column == name) {
          into.edge_names[row] = static_cast<std::uint32_t>(std::min(number, most));
        } else if (column == to) {
          expect(number % fields == 0 && number / fields < meta.node_count, "an edge to no object");
          into.targets[row] = static_cast<std::uint32_t>(number / fields);
        }
      });
  expect(rows == count, "fewer edges than it says");
}

void check_strings(const heap_snapshot& snapshot) {
  for (const std::uint32_t name : snapshot.names)
    expect(name < snapshot.strings.size(), "a string that it does not have");
  for (std::size_t e = 0; e < snapshot.targets.size(); ++e)
    expect(snapshot.kinds[e] != edge_kind::named || snapshot.edge_names[e] < snapshot.strings.size(),
           "a string that it does not have");
}

heap_snapshot read_document(object document) {
  heap_snapshot result;
  meta_data meta;
  for (auto field : document) {
    const std::string_view key = field.unescaped_key();
    if (key == "snapshot") {
      meta = read_meta(field.value().get_object());
    } else if (key == "nodes") {
      expect(meta.node_count != 0, "objects come before what they mean");
      read_nodes(field.value().get_array(), meta, result);
    } else if (key == "edges") {
      expect(!result.names.empty(), "edges come before objects");
      read_edges(field.value().get_array(), meta, result);
    } else if (key == "strings") {
      result.strings = texts(field.value().get_array());
    }
  }
  expect(!result.names.empty() && result.targets.size() == meta.edge_count, "a part is missing");
  check_strings(result);
  result.node_types = std::move(meta.node_types);
  return result;
}

}  // namespace

std::string heap_snapshot::class_of(std::uint32_t node) const {
  const std::string& type = node_types[types[node]];
  if (type == "object" || type == "native" || type == "synthetic") return strings[names[node]];
  return "(" + type + ")";
}

std::string heap_snapshot::edge_name(std::uint64_t edge) const {
  if (kinds[edge] == edge_kind::indexed) return fmt::format("[{}]", edge_names[edge]);
  if (kinds[edge] == edge_kind::weak && edge_names[edge] >= strings.size()) return "weak";
  return "." + strings[edge_names[edge]];
}

heap_snapshot read_heap_snapshot(const std::filesystem::path& file) {
  if (std::filesystem::is_directory(file)) throw failure(1, fmt::format("{}: is a folder", file.string()));
  simdjson::padded_string text;
  errno = 0;
  if (simdjson::padded_string::load(file.string()).get(text) != simdjson::SUCCESS)
    throw failure(1, fmt::format("cannot read {}: {}", file.string(), strerror(errno != 0 ? errno : EIO)));
  try {
    simdjson::ondemand::parser parser;
    simdjson::ondemand::document document = parser.iterate(text);
    return read_document(document.get_object());
  } catch (const simdjson::simdjson_error& error) {
    refuse(file, error.error() == simdjson::CAPACITY ? "larger than 4 GiB" : "no JSON, or cut off");
  } catch (const flaw& what) {
    refuse(file, what.what());
  }
}

}  // namespace umber::tool
