#include "gc/samples.h"

#include "alloc/sampler.h"
#include "profile_reader.h"
#include "testing.h"

#include <umber/umber.h>

#include <atomic>
#include <cmath>
#include <thread>

struct sampled_node {
  umber::field<sampled_node> next;
  std::uint64_t value = 0;
};
struct sampled_leaf {
  std::uint64_t values[4] = {};
};
struct sampled_giant {
  char bytes[300'000] = {};
};

[[gnu::noinline]] umber::local<sampled_node> test_make_node() {
  auto made = umber::make<sampled_node>();
  asm volatile("" ::: "memory");
  return made;
}
[[gnu::noinline]] umber::local<sampled_leaf> test_make_leaf() {
  auto made = umber::make<sampled_leaf>();
  asm volatile("" ::: "memory");
  return made;
}

namespace umber::gc {
namespace {

using testing::new_seed;
using testing::profile_sample;
using testing::scratch_folder;
using reader = testing::profile_file;

struct of_type {
  double allocated = 0, in_use = 0;
  std::size_t sites = 0;
};
of_type told_of(const reader& file, const std::string& type) {
  of_type sum;
  for (const profile_sample& s : file.samples) {
    const auto label = s.labels.find("type");
    if (label == s.labels.end() || label->second.find(type) == std::string::npos) continue;
    sum.allocated += static_cast<double>(s.values.alloc_space);
    sum.in_use += static_cast<double>(s.values.inuse_space);
    ++sum.sites;
  }
  return sum;
}

reader profile_now() {
  const scratch_folder folder;
  REQUIRE(umber::profile::write((folder / "p").c_str()));
  return reader(folder / "p");
}

// As in profile_file_test.cc: five standard deviations.
bool is_near(double told, double bytes, double every) {
  return std::abs(told - bytes) < 5 * std::sqrt(bytes / every) * every;
}

TEST_CASE("samples: managed objects are told of by type, and are in use until they are collected [samples.1]") {
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  sampler::set_seed(seed);
  constexpr double every = 4096, nodes = 400'000, giants = 100;
  REQUIRE(umber::profile::start(static_cast<std::size_t>(every)));
  umber::heap heap;
  const umber::mutator attached(heap);
  {
    umber::local<sampled_node> list;
    for (int i = 0; i < static_cast<int>(nodes); ++i) {
      const auto fresh = test_make_node();
      if (i % 2 == 0) fresh->next = list;
      if (i % 2 == 0) list = fresh;
      if (i % 4 == 0) test_make_leaf();
      if (i % 4000 == 0) static_cast<void>(umber::make<sampled_giant>());
      if (i % 100 == 0) static_cast<void>(umber::make_array<std::uint16_t>(1000));
    }
    heap.collect();
    const reader file = profile_now();
    const of_type node = told_of(file, "sampled_node");
    CHECK(is_near(node.allocated, nodes * 16, every));
    CHECK(is_near(node.in_use, nodes / 2 * 16, every));
    CHECK(is_near(told_of(file, "sampled_leaf").allocated, nodes / 4 * 32, every));
    CHECK(told_of(file, "sampled_leaf").in_use == 0);
    const double giant = 303'104;
    CHECK(std::abs(told_of(file, "sampled_giant").allocated - giants * giant) < 1);
    CHECK(is_near(told_of(file, "[]").allocated, nodes / 100 * 2048, every));
    CHECK(file.of("test_make_node").alloc_objects > 0);
  }
  heap.collect();
  const reader file = profile_now();
  CHECK(told_of(file, "sampled_node").in_use == 0);
  CHECK(told_of(file, "sampled_giant").in_use == 0);
  umber::profile::stop();
}

TEST_CASE("samples: two types that are made in strict turn are told in proportion") {
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  sampler::set_seed(seed);
  constexpr double every = 2048;
  const of_type before = told_of(profile_now(), "sampled_leaf");
  REQUIRE(umber::profile::start(static_cast<std::size_t>(every)));
  {
    umber::heap heap;
    const umber::mutator attached(heap);
    for (int i = 0; i < 20'000; ++i) {
      for (int n = 0; n < 63; ++n) test_make_leaf();
      static_cast<void>(umber::make<sampled_leaf>());
    }
  }
  umber::profile::stop();
  const reader file = profile_now();
  const of_type after = told_of(file, "sampled_leaf");
  CHECK(is_near(after.allocated - before.allocated, 64 * 20'000.0 * 32, every));
  CHECK(is_near(static_cast<double>(file.of("test_make_leaf").alloc_space), 63 * 20'000.0 * 32 + before.allocated,
                every));
  CHECK(after.in_use == before.in_use);  // they are gone with their heap
}

TEST_CASE("samples: threads make objects while cycles run and a profile is written") {
  REQUIRE(umber::profile::start(1000));
  {
    umber::heap heap({.check_marks = true});
    std::atomic<bool> done{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
      threads.emplace_back([&] {
        const umber::mutator attached(heap);
        umber::local<sampled_node> list;
        for (int i = 0; !done.load(); ++i) {
          const auto fresh = test_make_node();
          fresh->next = list;
          list = i % 1000 == 0 ? umber::local<sampled_node>() : fresh;
          if (i % 8 == 0) test_make_leaf();
        }
      });
    for (int i = 0; i < 5; ++i) {
      heap.collect();
      for (const profile_sample& s : profile_now().samples) CHECK(s.values.inuse_objects <= s.values.alloc_objects);
    }
    done = true;
    for (std::thread& t : threads) t.join();
    heap.collect();
    CHECK(told_of(profile_now(), "sampled_node").in_use == 0);
  }
  umber::profile::stop();
}

}  // namespace
}  // namespace umber::gc
