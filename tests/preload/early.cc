// A library that is initialised before its program, and before most of what is preloaded: its handlers of fork allocate
// and are registered as early as a library can. The heap's own must come before them all the same, because whoever
// registers first runs last before a fork.
#include <pthread.h>
#include <cstdlib>

namespace {

void* held = nullptr;

void before_fork() {
  std::free(held);
  held = std::malloc(1000);
}
void after_fork() { held = std::realloc(held, 100); }

[[gnu::constructor]] void at_load() { pthread_atfork(before_fork, after_fork, after_fork); }

}  // namespace

// What makes the linker keep the library.
extern "C" [[gnu::visibility("default")]] int early_library() { return held != nullptr ? 1 : 0; }
