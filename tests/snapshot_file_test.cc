#include "gc/snapshot_file.h"

#include "gc_testing.h"

#include <umber/umber.h>

#include <catch2/generators/catch_generators.hpp>

#include <nlohmann/json.hpp>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

namespace umber::gc {
namespace {

using nlohmann::json;
using testing::never_by_itself;
using testing::other_thread;
using testing::test_heap;

struct node {
  umber::field<node> left, right;
};

class account {
 public:
  umber::field<node> owner;
  char rest[104] = {};
  static constexpr auto pointers = umber::pointers(&account::owner);
};

struct changing {
  std::atomic<bool> shows = false;
  umber::field<node> first, second;
  void trace(umber::visitor& visit) const {
    if (shows) visit(second);
  }
};

// A folder that is removed with all that is in it.
class folder {
 public:
  folder() { REQUIRE(mkdtemp(name_.data()) != nullptr); }
  ~folder() { std::filesystem::remove_all(name_); }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  std::string file(const char* name) const { return name_ + "/" + name; }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(name_), std::filesystem::directory_iterator()));
  }

 private:
  std::string name_ = std::filesystem::temp_directory_path() / "umber-snapshot-XXXXXX";
};

struct shown_edge {
  std::string type, name;
  std::size_t to;
};
struct shown_node {
  std::string type, name;
  std::uint64_t id, bytes;
  std::vector<shown_edge> edges;
};

// What every snapshot promises of its numbers, and the graph that they are.
class shown_heap {
 public:
  std::vector<shown_node> nodes;

  explicit shown_heap(const std::string& file) : document_(json::parse(std::ifstream(file))) {
    const json& meta = document_["snapshot"]["meta"];
    const std::size_t fields = meta["node_fields"].size(), edge_fields = meta["edge_fields"].size();
    const json& numbers = document_["nodes"];
    REQUIRE(numbers.size() == fields * document_["snapshot"]["node_count"].get<std::size_t>());
    REQUIRE(document_["edges"].size() == edge_fields * document_["snapshot"]["edge_count"].get<std::size_t>());
    std::size_t at = 0;
    std::set<std::uint64_t> ids;
    for (std::size_t i = 0; i < numbers.size(); i += fields) {
      shown_node n{meta["node_types"][0].at(numbers[i].get<std::size_t>()),
                   string(numbers[i + 1]),
                   numbers[i + 2],
                   numbers[i + 3],
                   {}};
      ids.insert(n.id);
      for (std::size_t count = numbers[i + 4]; count != 0; --count, at += edge_fields)
        n.edges.push_back(edge(at, meta));
      nodes.push_back(std::move(n));
    }
    CHECK(at == document_["edges"].size());
    CHECK(ids.size() == nodes.size());
    CHECK(reached().size() == nodes.size());
  }

  // Of all objects of a type, or the only one.
  std::size_t count(const std::string& name) const {
    std::size_t n = 0;
    for (const shown_node& each : nodes) n += each.type == "object" && ends_with(each.name, name);
    return n;
  }
  const shown_node& only(const std::string& name) const {
    const shown_node* found = nullptr;
    for (const shown_node& each : nodes) {
      if (!ends_with(each.name, name)) continue;
      CHECK(found == nullptr);
      found = &each;
    }
    REQUIRE(found != nullptr);
    return *found;
  }
  const shown_node* group(const std::string& start) const {
    for (const shown_node& each : nodes)
      if (each.type == "native" && each.name.starts_with(start)) return &each;
    return nullptr;
  }
  // What the edge of that name leads to; null: there is none.
  const shown_node* follow(const shown_node& from, const std::string& name) const {
    for (const shown_edge& e : from.edges)
      if (e.name == name) return &nodes[e.to];
    return nullptr;
  }

 private:
  static bool ends_with(const std::string& name, const std::string& end) {
    return name == end || name.ends_with("::" + end);
  }
  std::string string(const json& index) const { return document_["strings"].at(index.get<std::size_t>()); }
  shown_edge edge(std::size_t at, const json& meta) const {
    const json& numbers = document_["edges"];
    const std::string type = meta["edge_types"][0].at(numbers[at].get<std::size_t>());
    const std::size_t to = numbers[at + 2], fields = meta["node_fields"].size();
    if (to % fields != 0 || to / fields >= document_["snapshot"]["node_count"].get<std::size_t>()) FAIL("a wild edge");
    return {type, type == "element" ? numbers[at + 1].dump() : string(numbers[at + 1]), to / fields};
  }
  std::set<std::size_t> reached() const {
    std::set<std::size_t> seen = {0};
    std::vector<std::size_t> waiting = {0};
    while (!waiting.empty()) {
      const shown_node& from = nodes[waiting.back()];
      waiting.pop_back();
      for (const shown_edge& e : from.edges)
        if (e.type != "weak" && seen.insert(e.to).second) waiting.push_back(e.to);
    }
    return seen;
  }

  json document_;
};

local<node> make_list(int length) {
  local<node> list;
  for (int i = 0; i < length; ++i) {
    const auto first = make<node>();
    first->left = list;
    list = first;
  }
  return list;
}

TEST_CASE("snapshot_file: objects, fields, elements and roots are shown as they are [snapshot.1] [snapshot_tables.1]") {
  const folder place;
  const std::string file = place.file("heap");
  test_heap t;
  const auto list = make_list(100);
  const auto big = make<account>();
  big->owner = list->left;
  auto elements = make_array<field<node>>(5000);
  elements->data()[4000] = list;
  const auto traced = make<changing>();
  traced->first = make<node>();
  traced->second = list;
  traced->shows = true;
  const persistent<array<field<node>>> held(elements);
  elements = nullptr;
  REQUIRE(t.heap.write_snapshot(file.c_str()));
  const shown_heap shown(file);
  CHECK(place.files() == 1);
  CHECK(shown.count("node") == 100);  // `first` is not shown to the collector either
  CHECK(shown.only("account").bytes == 112);
  CHECK(shown.follow(shown.only("account"), "owner") != nullptr);
  const shown_node& numbers = shown.only("node>[]");
  CHECK(numbers.bytes >= 40'008);
  CHECK(shown.follow(numbers, "4000")->name == shown.follow(shown.only("account"), "owner")->name);
  CHECK(shown.follow(shown.only("changing"), "+16")->id == shown.follow(numbers, "4000")->id);
  REQUIRE(shown.group("persistent handles") != nullptr);
  CHECK(shown.follow(*shown.group("persistent handles"), "0")->id == numbers.id);
  REQUIRE(shown.group("locals of thread ") != nullptr);
  CHECK(shown.group("locals of thread ")->edges.size() == 3);
  CHECK(shown.group("held by nothing") == nullptr);
}

TEST_CASE("snapshot_file: weak references and weak maps are weak, and cleanups hold what they keep") {
  const folder place;
  const std::string file = place.file("heap");
  test_heap t;
  const auto key = make<account>();
  const weak<account> reference(key);
  const auto map = make<weak_map<account, node>>();
  map->set(key, make<node>());
  add_cleanup(
      key, [](local<changing>) {}, make<changing>());
  REQUIRE(t.heap.write_snapshot(file.c_str()));
  const shown_heap shown(file);
  const shown_node& box = shown.only("weak");
  REQUIRE(box.edges.size() == 1);
  CHECK(box.edges[0].type == "weak");
  CHECK(&shown.nodes[box.edges[0].to] == &shown.only("account"));
  const shown_node& entry = shown.only("weak_map entry");
  CHECK(shown.follow(entry, "key") == &shown.only("account"));
  CHECK(shown.follow(entry, "value") == &shown.only("node"));
  for (const shown_edge& e : entry.edges) CHECK((e.type == "weak") == (e.name == "key"));
  REQUIRE(shown.group("finalizers and cleanups") != nullptr);
  CHECK(shown.follow(*shown.group("finalizers and cleanups"), "0") == &shown.only("changing"));
}

TEST_CASE("snapshot_file: what lives is in it whole while other threads build and drop [snapshot.1]") {
  const auto kind = GENERATE(barrier::hybrid, barrier::deletion, barrier::insertion, barrier::stop_the_world);
  const folder place;
  const std::string file = place.file("heap");
  heap_options options;
  options.kind = kind;
  test_heap t(options);
  const auto list = make_list(1000);
  const auto top = make<account>();
  top->owner = list;
  std::atomic<bool> over{false};
  other_thread other(t.heap);
  other.start([&] {
    local<changing> last;
    while (!over) {
      const auto fresh = make<changing>();
      fresh->shows = true;
      last = fresh;
    }
  });
  std::map<std::uint64_t, std::uint64_t> ids;
  for (int round = 0; round < 3; ++round) {
    REQUIRE(t.heap.write_snapshot(file.c_str()));
    const umber::blocking while_reading;
    const shown_heap shown(file);
    CHECK(shown.count("node") == 1000);
    const shown_node* at = shown.follow(shown.only("account"), "owner");
    for (int i = 0; i < 1000; ++i, at = shown.follow(*at, "left")) {
      REQUIRE(at != nullptr);
      CHECK(ids.emplace(i, at->id).first->second == at->id);
    }
    CHECK(at == nullptr);
  }
  over = true;
  const umber::blocking while_it_ends;  // it may be wanted for a stop of the world, and answers when it is gone
  other.end();
}

TEST_CASE("snapshot_file: a failure is told by errno and leaves no file [snapshot_file.1] [output.1]") {
  const folder place;
  const std::string file = place.file("heap");
  test_heap t;
  const auto list = make_list(10'000);
  CHECK_FALSE(t.heap.write_snapshot(place.file("no/heap").c_str()));
  CHECK(errno == ENOENT);
  CHECK_FALSE(t.heap.write_snapshot("/dev/full"));
  CHECK(errno == ENOSPC);
  CHECK_FALSE(t.heap.write_snapshot(std::string(5000, 'x').c_str()));
  CHECK(errno == ENAMETOOLONG);
  CHECK(place.files() == 0);
  std::ofstream(file) << "before";
  rlimit before;
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small{100'000, before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  CHECK_FALSE(t.heap.write_snapshot(file.c_str()));
  CHECK(errno == EFBIG);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);
  CHECK(place.files() == 1);
  CHECK(std::filesystem::file_size(file) == 6);
}

TEST_CASE("snapshot_file: without memory for its tables there is none, and the heap goes on") {
  const folder place;
  const std::string file = place.file("heap");
  test_heap t;
  const auto list = make_list(1000);
  std::size_t calls = 0;
  for (bool written = false; !written; ++calls) {
    REQUIRE(calls < 200);
    os::inject_failure(calls, 1);
    written = t.heap.write_snapshot(file.c_str());
    const int reason = errno;
    os::inject_failure(0, 0);
    if (!written) CHECK(reason == ENOMEM);
    CHECK(place.files() == (written ? 1 : 0));
  }
  CHECK(calls > 10);
  CHECK(shown_heap(file).count("node") == 1000);
}

}  // namespace
}  // namespace umber::gc
