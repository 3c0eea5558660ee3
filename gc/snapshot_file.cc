#include "snapshot_file.h"

#include "output.h"
#include "type.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

namespace umber::gc {

namespace {

constexpr std::size_t buffer_bytes = mib;
constexpr std::size_t longest_path = 4096;

// Their places in the meta data.
enum class node_type : std::uint32_t { object = 3, native = 8, synthetic = 9 };
enum class edge_type : std::uint32_t { element = 1, property = 2, weak = 6 };

constexpr char meta[] =
    "{\"node_fields\":[\"type\",\"name\",\"id\",\"self_size\",\"edge_count\",\"trace_node_id\",\"detachedness\"],"
    "\"node_types\":[[\"hidden\",\"array\",\"string\",\"object\",\"code\",\"closure\",\"regexp\",\"number\",\"native\","
    "\"synthetic\",\"concatenated string\",\"sliced string\",\"symbol\",\"bigint\"],\"string\",\"number\",\"number\","
    "\"number\",\"number\",\"number\"],"
    "\"edge_fields\":[\"type\",\"name_or_index\",\"to_node\"],"
    "\"edge_types\":[[\"context\",\"element\",\"property\",\"internal\",\"hidden\",\"shortcut\",\"weak\"],"
    "\"string_or_number\",\"node\"],"
    "\"trace_function_info_fields\":[\"function_id\",\"name\",\"script_name\",\"script_id\",\"line\",\"column\"],"
    "\"trace_node_fields\":[\"id\",\"function_info_index\",\"count\",\"size\",\"children\"],"
    "\"sample_fields\":[\"timestamp_us\",\"last_assigned_id\"],"
    "\"location_fields\":[\"object_index\",\"script_id\",\"line\",\"column\"]}";
constexpr std::uint64_t node_fields = 7;

// The first strings.
constexpr const char* fixed_strings[] = {
    "",    "(GC roots)", "persistent handles", "finalizers and cleanups", "held by nothing that was seen", "target",
    "key", "value"};
enum fixed_string : std::uint64_t { empty, gc_roots, persistents, finalizers, not_held, target, key, value, fixed };

// The name of a thread that may be gone.
std::size_t read_name(std::uint32_t thread, char (&into)[32]) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%u/comm", thread);
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const ssize_t count = read(file, into, sizeof into);
  close(file);
  return count > 0 ? static_cast<std::size_t>(count) - 1 : 0;  // without its line feed
}

// Which objects are reached, from what, and how everything is numbered in the file: before any of it is written.
class numbering {
 public:
  explicit numbering(const snapshot_tables& seen) : tables(seen) {}

  // Objects of one holder: roots[first, end).
  struct group {
    std::uint32_t holder;
    std::size_t first;
    std::size_t end;
    std::size_t edges;
  };
  static constexpr std::size_t most_groups = std::size_t{1} << 22;

  // False: no memory.
  bool make() { return find_groups() && find_unheld() && number_strings(); }

  std::size_t groups_shown() const { return group_count + (unheld_count != 0); }
  std::uint64_t first_object() const { return 2 + groups_shown(); }  // as a node

  const snapshot_tables& tables;
  scratch<group> groups;
  std::size_t group_count = 0;
  scratch<std::uint32_t> unheld;
  std::size_t unheld_count = 0;
  std::size_t root_edges = 0;
  // Strings, in this order: fixed ones, names of types, of groups, of fields by type, offsets. By index_of a type:
  // which of the types it is, from 1; the string of its first field.
  scratch<std::uint32_t> name_of_type;
  scratch<std::uint32_t> fields_of_type;
  scratch<std::uint32_t> types;  // in that order
  std::size_t type_count = 0;
  std::uint64_t first_group_name = 0;
  std::uint64_t first_offset = 0;
  std::uint64_t offsets = 0;

  static std::size_t index_of(std::uint32_t type) {
    return (type & ~snapshot_node::is_array) + ((type & snapshot_node::is_array) != 0 ? most_types : 0);
  }

 private:
  bool find_groups() {
    if (!groups.reserve(most_groups)) return false;
    for (std::size_t i = 0; i < tables.root_count; ++i) {
      const snapshot_root& root = tables.roots[i];
      if (group_count == 0 || groups[group_count - 1].holder != root.holder) {
        if (group_count == most_groups || !groups.have(group_count + 1)) return false;
        groups[group_count++] = {root.holder, i, i, 0};
      }
      group& g = groups[group_count - 1];
      g.end = i + 1;
      const std::size_t edges = tables.number_of(root.object) != snapshot_tables::none;
      g.edges += edges;
      root_edges += edges;
    }
    return true;
  }

  bool first_visit(std::uint32_t object) {
    const std::uint64_t bit = std::uint64_t{1} << object % 64;
    if ((seen_[object / 64] & bit) != 0) return false;
    seen_[object / 64] |= bit;
    return true;
  }

  // Follows strong edges from an object to whatever was not reached yet.
  bool follow(std::uint32_t object) {
    if (!first_visit(object)) return true;
    std::size_t depth = 0;
    stack_[depth++] = object;
    while (depth != 0) {
      const std::uint32_t from = stack_[--depth];
      const std::uint64_t end = tables.nodes[from + std::size_t{1}].first_edge;
      for (std::uint64_t e = tables.nodes[from].first_edge; e != end; ++e) {
        const snapshot_edge edge = tables.edges[e];
        if (edge.kind() == edge_name::weak_target || edge.kind() == edge_name::weak_key || !first_visit(edge.to))
          continue;
        if (!stack_.have(depth + 1)) return false;
        stack_[depth++] = edge.to;
      }
    }
    return true;
  }

  bool find_unheld() {
    const std::size_t count = tables.node_count;
    if (!seen_.reserve(count / 64 + 1) || !seen_.have(count / 64 + 1) || !unheld.reserve(count + 1) ||
        !stack_.reserve(count + 1) || !stack_.have(1))
      return false;
    for (std::size_t i = 0; i < tables.root_count; ++i) {
      const std::uint32_t object = tables.number_of(tables.roots[i].object);
      if (object != snapshot_tables::none && !follow(object)) return false;
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      if ((seen_[i / 64] >> i % 64 & 1) != 0) continue;
      if (!unheld.have(unheld_count + 1)) return false;
      unheld[unheld_count++] = i;
      if (!follow(i)) return false;
    }
    seen_.give_back();
    stack_.give_back();
    return true;
  }

  bool number_strings() {
    constexpr std::size_t indexes = 2 * std::size_t{most_types};
    if (!name_of_type.reserve(indexes) || !name_of_type.have(indexes) || !fields_of_type.reserve(indexes) ||
        !fields_of_type.have(indexes) || !types.reserve(indexes) || !types.have(indexes))
      return false;
    for (std::size_t i = 0; i < tables.node_count; ++i) {
      const std::uint32_t type = tables.nodes[i].type;
      if (name_of_type[index_of(type)] != 0) continue;
      types[type_count++] = type;
      name_of_type[index_of(type)] = static_cast<std::uint32_t>(type_count);
    }
    for (std::uint64_t e = 0; e < tables.edge_count; ++e)
      if (tables.edges[e].kind() == edge_name::offset && tables.edges[e].which() >= offsets)
        offsets = std::uint64_t{tables.edges[e].which()} + 1;
    first_group_name = fixed + type_count;
    first_offset = first_group_name + group_count;
    for (std::size_t i = 0; i < type_count; ++i) {
      if ((types[i] & snapshot_node::is_array) != 0) continue;
      fields_of_type[types[i]] = static_cast<std::uint32_t>(first_offset);
      first_offset += layout_of(types[i])->pointer_count;
    }
    return true;
  }

  scratch<std::uint64_t> seen_;
  scratch<std::uint32_t> stack_;
};

class writer {
 public:
  writer(const numbering& numbers, output& out) : n_(numbers), t_(numbers.tables), out_(out) {}

  void write() {
    const std::uint64_t groups = n_.groups_shown();
    const std::uint64_t edges = 1 + 2 * groups + n_.root_edges + n_.unheld_count + t_.edge_count;
    out_ << "{\"snapshot\":{\"meta\":" << meta << ",\"node_count\":" << n_.first_object() + t_.node_count
         << ",\"edge_count\":" << edges << ",\"trace_function_count\":0},\n\"nodes\":[";
    write_nodes();
    out_ << "],\n\"edges\":[";
    write_edges();
    out_ << "],\n\"trace_function_infos\":[],\"trace_tree\":[],\"samples\":[],\"locations\":[],\n\"strings\":[";
    write_strings();
    out_ << "]}\n";
    out_.flush();
  }

 private:
  void write_node(node_type type, std::uint64_t name, std::uint64_t id, std::uint64_t bytes, std::uint64_t edges) {
    if (id != 1) out_ << ",\n";
    out_ << static_cast<std::uint64_t>(type) << ',' << name << ',' << id << ',' << bytes << ',' << edges << ",0,0";
  }

  // Ids of what is no object are odd.
  void write_nodes() {
    const std::uint64_t groups = n_.groups_shown();
    write_node(node_type::synthetic, empty, 1, 0, 1 + groups);
    write_node(node_type::synthetic, gc_roots, 3, 0, groups);
    for (std::size_t i = 0; i < n_.group_count; ++i)
      write_node(node_type::native, n_.first_group_name + i, 5 + 2 * i, 0, n_.groups[i].edges);
    if (n_.unheld_count != 0) write_node(node_type::native, not_held, 5 + 2 * n_.group_count, 0, n_.unheld_count);
    std::size_t at = 0;
    for (std::size_t i = 0; i < t_.word_count; ++i)
      for (std::uint64_t bits = t_.words[i].objects; bits != 0; bits &= bits - 1, ++at) {
        const snapshot_node& node = t_.nodes[at];
        const std::uint64_t granule = i * 64 + static_cast<std::uint64_t>(std::countr_zero(bits));
        write_node(node_type::object, fixed - 1 + n_.name_of_type[numbering::index_of(node.type)],
                   (2 * granule + 2) & UINT32_MAX, std::uint64_t{node.words} * sizeof(void*),
                   t_.nodes[at + 1].first_edge - node.first_edge);
      }
  }

  void write_edge(edge_type type, std::uint64_t name, std::uint64_t to) {
    if (!first_edge_) out_ << ",\n";
    first_edge_ = false;
    out_ << static_cast<std::uint64_t>(type) << ',' << name << ',' << to * node_fields;
  }

  void write_edges() {
    const std::uint64_t groups = n_.groups_shown();
    for (std::uint64_t i = 0; i <= groups; ++i) write_edge(edge_type::element, i, 1 + i);
    for (std::uint64_t i = 0; i < groups; ++i) write_edge(edge_type::element, i, 2 + i);
    for (std::size_t g = 0; g < n_.group_count; ++g)
      for (std::size_t i = n_.groups[g].first; i < n_.groups[g].end; ++i) {
        const std::uint32_t to = t_.number_of(t_.roots[i].object);
        if (to != snapshot_tables::none) write_edge(edge_type::element, i - n_.groups[g].first, n_.first_object() + to);
      }
    for (std::size_t i = 0; i < n_.unheld_count; ++i)
      write_edge(edge_type::element, i, n_.first_object() + n_.unheld[i]);
    for (std::size_t i = 0; i < t_.node_count; ++i)
      for (std::uint64_t e = t_.nodes[i].first_edge; e != t_.nodes[i + 1].first_edge; ++e)
        write_object_edge(t_.nodes[i].type, t_.edges[e]);
  }

  void write_object_edge(std::uint32_t type, snapshot_edge edge) {
    const std::uint64_t to = n_.first_object() + edge.to;
    switch (edge.kind()) {
      case edge_name::field:
        return write_edge(edge_type::property, std::uint64_t{n_.fields_of_type[type]} + edge.which(), to);
      case edge_name::element:
        return write_edge(edge_type::element, edge.which(), to);
      case edge_name::offset:
        return write_edge(edge_type::property, n_.first_offset + edge.which(), to);
      case edge_name::weak_target:
        return write_edge(edge_type::weak, target, to);
      case edge_name::weak_key:
        return write_edge(edge_type::weak, key, to);
      case edge_name::weak_value:
        return write_edge(edge_type::property, value, to);
    }
  }

  void write_type(std::uint32_t type) {
    const type_layout* layout = layout_of(type & ~snapshot_node::is_array);
    out_ << ",\n\"";
    if (layout == nullptr)
      out_ << "unknown";
    else
      out_.quoted(layout->description->name, layout->description->name_length);
    out_ << ((type & snapshot_node::is_array) != 0 ? "[]\"" : "\"");
  }

  void write_group(std::uint32_t holder) {
    if (holder == snapshot_root::persistent)
      return static_cast<void>(out_ << ",\n\"" << fixed_strings[persistents] << '"');
    if (holder == snapshot_root::finalizer)
      return static_cast<void>(out_ << ",\n\"" << fixed_strings[finalizers] << '"');
    char name[32];
    out_ << ",\n\"locals of thread ";
    out_.quoted(name, read_name(holder, name));
    out_ << ' ' << std::uint64_t{holder} << '"';
  }

  // Its name, if the type knows it, else "+8".
  void write_field(const type_layout& layout, std::size_t offset) {
    struct finder {
      output& out;
      std::size_t offset;
      bool found;
      static void look_at(void* self, std::size_t at, const umber::detail::field_path& path) {
        auto& wanted = *static_cast<finder*>(self);
        if (wanted.found || at != wanted.offset || path.outer == nullptr) return;
        wanted.found = true;
        write_path(wanted.out, path);
      }
    } wanted{out_, offset, false};
    out_ << ",\n\"";
    if (layout.description->name_pointers != nullptr) layout.description->name_pointers(finder::look_at, &wanted);
    if (!wanted.found) out_ << '+' << offset;
    out_ << '"';
  }
  static void write_path(output& out, const umber::detail::field_path& path) {
    if (path.outer->outer != nullptr) write_path(out, *path.outer);
    if (path.index != path.no_index) return static_cast<void>(out << '[' << path.index << ']');
    if (path.outer->outer != nullptr) out << '.';
    out.quoted(path.name.data(), path.name.size());
  }

  void write_strings() {
    for (std::size_t i = 0; i < fixed; ++i) out_ << (i == 0 ? "\"" : ",\n\"") << fixed_strings[i] << '"';
    for (std::size_t i = 0; i < n_.type_count; ++i) write_type(n_.types[i]);
    for (std::size_t i = 0; i < n_.group_count; ++i) write_group(n_.groups[i].holder);
    for (std::size_t i = 0; i < n_.type_count; ++i) {
      if ((n_.types[i] & snapshot_node::is_array) != 0) continue;
      const type_layout& layout = *layout_of(n_.types[i]);
      for (std::uint32_t k = 0; k < layout.pointer_count; ++k) write_field(layout, layout.pointers[k] * sizeof(void*));
    }
    for (std::uint64_t i = 0; i < n_.offsets; ++i) out_ << ",\n\"+" << i * sizeof(void*) << '"';
  }

  const numbering& n_;
  const snapshot_tables& t_;
  output& out_;
  bool first_edge_ = true;
};

int write_to(int file, const numbering& numbers) {
  scratch<char> buffer;
  if (!buffer.reserve(buffer_bytes) || !buffer.have(buffer_bytes)) return ENOMEM;
  output out(file, &buffer[0], buffer_bytes);
  writer(numbers, out).write();
  return out.failure();
}

int write_and_close(int file, const numbering& numbers) {
  if (file < 0) return errno;
  const int failure = write_to(file, numbers);
  return close(file) != 0 && failure == 0 ? errno : failure;
}

}  // namespace

int write_snapshot_file(const snapshot_tables& tables, const char* path) {
  numbering numbers(tables);
  if (!tables.complete || !numbers.make()) return ENOMEM;
  struct stat existing = {};
  if (stat(path, &existing) == 0 && !S_ISREG(existing.st_mode))
    return write_and_close(open(path, O_WRONLY | O_CLOEXEC), numbers);
  const std::size_t length = strlen(path);
  char temporary[longest_path];
  if (length + sizeof ".tmp" > sizeof temporary) return ENAMETOOLONG;
  memcpy(temporary, path, length);
  memcpy(temporary + length, ".tmp", sizeof ".tmp");
  int failure = write_and_close(open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), numbers);
  if (failure == 0 && rename(temporary, path) != 0) failure = errno;
  if (failure != 0) unlink(temporary);
  return failure;
}

}  // namespace umber::gc
