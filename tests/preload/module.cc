// A shared module for the tests of dlopen: it allocates when it is loaded, used, unloaded, and when a thread ends.
#include <cstdlib>
#include <map>
#include <new>
#include <string>

namespace {

struct loaded {
  loaded() {
    for (int i = 0; i < 500; ++i) words[std::to_string(i)] = std::string(static_cast<std::size_t>(i), 'm');
  }
  ~loaded() {
    words.clear();
    std::free(std::malloc(100));
  }
  std::map<std::string, std::string> words;
};

loaded at_load;
thread_local std::map<int, std::string> of_this_thread;

std::size_t too_much() {
  static volatile std::size_t n = std::size_t{1} << 62;
  return n;
}

}  // namespace

extern "C" {

[[gnu::visibility("default")]] int module_use(int n) {
  for (int i = 0; i < n; ++i) of_this_thread[i] = std::string(100, 't');
  return static_cast<int>(at_load.words.size() + of_this_thread.size());
}

[[gnu::visibility("default")]] char* module_allocate(std::size_t n) { return new char[n]; }

[[gnu::visibility("default")]] int module_catches_bad_alloc() {
  try {
    ::operator delete(::operator new(too_much()));
  } catch (const std::bad_alloc&) {
    return 1;
  }
  return 0;
}

}  // extern "C"
