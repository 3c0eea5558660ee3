#include "alloc/profile_file.h"

#include "alloc/malloc.h"
#include "alloc/os.h"
#include "alloc/profile.h"
#include "alloc/sampler.h"
#include "profile_reader.h"
#include "testing.h"

#include <umber/profile.h>

#include <sys/resource.h>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <fstream>
#include <thread>

// The sites, outside of the engine's names. Each keeps a frame of its own.
[[gnu::noinline]] void* test_site_often(std::size_t n) {
  void* p = umber_malloc(n);
  asm volatile("" : "+r"(p)::"memory");
  return p;
}
[[gnu::noinline]] void* test_site_seldom(std::size_t n) {
  void* p = umber_malloc(n);
  asm volatile("" : "+r"(p)::"memory");
  return p;
}

// In children only.
[[gnu::noinline]] void* test_site_of_child(std::size_t n) {
  void* p = umber_malloc(n);
  asm volatile("" : "+r"(p)::"memory");
  return p;
}

namespace umber::alloc {
namespace {

using testing::new_seed;
using testing::profile_values;
using testing::run_in_child;
using testing::scratch_folder;
using reader = testing::profile_file;

void write_to(const std::string& path) { REQUIRE(umber::profile::write(path.c_str())); }

// Both estimates are sums over samples, of which there are `bytes / every` on the average, and as many as that is the
// square of the standard deviation. Five of them are exceeded once in two million runs.
bool is_near(std::uint64_t told, double bytes, double every) {
  return std::abs(static_cast<double>(told) - bytes) < 5 * std::sqrt(bytes / every) * every;
}

TEST_CASE("profile_file: what two sites allocate in strict turn is told in proportion [profile_file.2]") {
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  const scratch_folder folder;
  sampler::set_seed(seed);
  constexpr std::size_t every = 4096, size = 64, turns = 40'000;
  REQUIRE(umber::profile::start(every));
  for (std::size_t i = 0; i < turns; ++i) {
    for (int n = 0; n < 63; ++n) deallocate(test_site_often(size));
    deallocate(test_site_seldom(size));
  }
  umber::profile::stop();
  write_to(folder / "p");
  const reader file(folder / "p");
  const profile_values often = file.of("test_site_often"), seldom = file.of("test_site_seldom");
  constexpr double bytes = double{turns} * size;
  CHECK(is_near(often.alloc_space, 63 * bytes, every));
  CHECK(is_near(seldom.alloc_space, bytes, every));
  CHECK(std::llabs(static_cast<long long>(often.alloc_objects - often.alloc_space / size)) <= 1);
  CHECK(often.inuse_space == 0);
  CHECK(seldom.inuse_objects == 0);
  CHECK(file.period == every);
  CHECK(file.value_types == std::vector<std::string>{"alloc_objects/count", "alloc_space/bytes", "inuse_objects/count",
                                                     "inuse_space/bytes"});
}

TEST_CASE("profile_file: objects of every size weigh what they are") {
  const std::uint64_t seed = new_seed();
  INFO("seed " << seed);
  const scratch_folder folder;
  sampler::set_seed(seed);
  constexpr std::size_t every = 20'000, bytes = 32 * mib;
  for (const std::size_t size : {16u, 320u, 2048u, 16'384u, 131'072u, 262'144u}) {
    REQUIRE(umber::profile::start(every));
    std::vector<void*> blocks;
    for (std::size_t i = 0; i < bytes / size; ++i) blocks.push_back(test_site_often(size));
    umber::profile::stop();
    write_to(folder / "p");
    double told = 0, in_use = 0;
    for (const testing::profile_sample& s : reader(folder / "p").samples) {
      if (s.bytes != good_size(size) || !s.has_function("test_site_often")) continue;
      CHECK(s.labels.at("heap") == "malloc");
      told += static_cast<double>(s.values.alloc_space);
      in_use += static_cast<double>(s.values.inuse_space);
    }
    // A sample of what is larger than `every` is nearly certain, and stands for itself.
    CHECK(is_near(static_cast<std::uint64_t>(told), double{bytes}, static_cast<double>(std::max(every, size))));
    CHECK(in_use == told);
    for (void* p : blocks) deallocate(p);
  }
}

TEST_CASE("profile_file: threads allocate and free while it is written") {
  const scratch_folder folder;
  REQUIRE(umber::profile::start(2000));
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&done, t] {
      std::vector<void*> mine(64);
      for (std::size_t i = 0; !done.load(); ++i) {
        deallocate(mine[i % 64]);
        mine[i % 64] = (t == 0 ? test_site_often : test_site_seldom)(16 + i % 3000);
        if (i % 4096 == 0) std::this_thread::yield();
      }
      for (void* p : mine) deallocate(p);
    });
  for (int i = 0; i < 10; ++i) {
    write_to(folder / "p");
    for (const auto& s : reader(folder / "p").samples) CHECK(s.values.inuse_objects <= s.values.alloc_objects);
  }
  done = true;
  for (std::thread& t : threads) t.join();
  umber::profile::stop();
  write_to(folder / "p");
  const reader file(folder / "p");
  CHECK(file.of("test_site_often").alloc_objects > 0);
  CHECK(file.of("test_site_often").inuse_objects == 0);
  CHECK(file.of("test_site_seldom").inuse_objects == 0);
}

TEST_CASE("profile_file: what cannot be written leaves what was there [profile_file.1]") {
  const scratch_folder folder;
  const std::string name = folder / "p";
  std::ofstream(name) << "before";
  const auto end = run_in_child([&] {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit little{100, 100};
    setrlimit(RLIMIT_FSIZE, &little);
    errno = 0;
    return !umber::profile::write(name.c_str()) && errno == EFBIG;
  });
  INFO(end.output);
  CHECK(end.succeeded());
  CHECK(folder.files() == std::vector<std::string>{"p"});
  std::string text;
  std::ifstream(name) >> text;
  CHECK(text == "before");
  CHECK(!umber::profile::write("/dev/full"));
  CHECK(errno == ENOSPC);
  CHECK(!umber::profile::write((folder / "no/such/folder").c_str()));
  CHECK(errno == ENOENT);
  CHECK(!umber::profile::write(""));
  CHECK(!umber::profile::write(std::string(5000, 'x').c_str()));
  CHECK(errno == ENAMETOOLONG);
}

TEST_CASE("profile_file: without memory there is no file") {
  const scratch_folder folder;
  const testing::failing_system failing(0);
  CHECK(!umber::profile::write((folder / "p").c_str()));
  CHECK(errno == ENOMEM);
  CHECK(folder.files().empty());
}

// What a child does that was told to write to `name`.
void run_told(const std::string& name) {
  options told;
  parse_profile((name + ",every=1000").c_str(), told);
  static char kept[512];
  name.copy(kept, sizeof kept - 1);
  told.profile = kept;
  profile::begin_as_told(told);
  for (int i = 0; i < 1000; ++i) deallocate(test_site_often(100));
}

TEST_CASE("profile_file: it is written at exit, and not by the child of a fork") {
  const scratch_folder folder;
  const auto end = run_in_child([&]() -> bool {
    run_told(folder / "p");
    const pid_t child = fork();
    if (child == 0) {
      for (int i = 0; i < 10'000; ++i) deallocate(test_site_of_child(100));
      std::exit(0);
    }
    waitpid(child, nullptr, 0);
    if (!folder.files().empty()) return false;
    std::exit(0);
  });
  INFO(end.output);
  REQUIRE(end.succeeded());
  const reader file(folder / "p");
  CHECK(file.of("test_site_often").alloc_objects > 0);
  CHECK(file.of("test_site_of_child").alloc_objects == 0);
  CHECK(folder.files().size() == 1);
}

TEST_CASE("profile_file: each process writes its own if its number is in the name") {
  const scratch_folder folder;
  const auto end = run_in_child([&]() -> bool {
    run_told(folder / "p-%p");
    const pid_t child = fork();
    if (child == 0) {
      for (int i = 0; i < 10'000; ++i) deallocate(test_site_of_child(100));
      std::exit(0);
    }
    waitpid(child, nullptr, 0);
    std::exit(0);
  });
  INFO(end.output);
  REQUIRE(end.succeeded());
  REQUIRE(folder.files().size() == 2);
  std::size_t with_both = 0;
  for (const std::string& name : folder.files())
    with_both += reader(folder / name.c_str()).of("test_site_of_child").alloc_objects > 0;
  CHECK(with_both == 1);
}

TEST_CASE("profile_file: an exit that cannot write says so in one line") {
  const auto end = run_in_child([&]() -> bool {
    run_told("/no/such/folder/p");
    std::exit(0);
  });
  CHECK(end.succeeded());
  CHECK(end.says("umber: UMBER_PROFILE: cannot write '/no/such/folder/p': No such file or directory"));
  CHECK(end.lines() == 1);
}

TEST_CASE("profile_file: samples without room are counted and told") {
  const scratch_folder folder;
  const auto end = run_in_child([&] {
    profile::set_room(0);
    if (!umber::profile::start(1000)) return false;
    for (int i = 0; i < 10'000; ++i) deallocate(test_site_seldom(100));
    return profile::lost() > 0 && umber::profile::write((folder / "p").c_str());
  });
  CHECK(end.succeeded());
  CHECK(end.says("samples are missing"));
  CHECK(end.lines() == 1);
  CHECK(reader(folder / "p").comments.size() == 1);
}

TEST_CASE("profile_file: it is started once, and not with nothing") {
  CHECK(!umber::profile::start(0));
  CHECK(errno == EINVAL);
  REQUIRE(umber::profile::start(1'000'000));
  CHECK(!umber::profile::start(1000));
  CHECK(errno == EBUSY);
  umber::profile::stop();
}

}  // namespace
}  // namespace umber::alloc
