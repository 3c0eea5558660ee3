// Threads, their ends, modules that come and go, forks, spawns: the heap goes through all of it.
//
// MODULE in the environment is the path of the module that is loaded.
#include "cases.h"

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

// Of early.cc, whose handlers of fork allocate.
extern "C" int early_library();

namespace {

using cases::opaque;

// Small, middling and large blocks, written to, and freed in another order.
void churn(int rounds, unsigned seed) {
  std::vector<char*> blocks(64);
  for (int i = 0; i < rounds; ++i) {
    seed = seed * 1103515245 + 12345;
    char*& slot = blocks[(seed >> 16) % blocks.size()];
    std::free(slot);
    const std::size_t n = (seed >> 8) % 100 == 0 ? 40000 : (seed >> 4) % 1000;
    slot = static_cast<char*>(std::memset(opaque(std::malloc(n + 1)), 1, n + 1));
  }
  for (char* p : blocks) std::free(p);
}

struct at_thread_end {
  ~at_thread_end() {
    text += std::string(1000, 'e');
    churn(200, 7);
    std::free(late);
  }
  std::string text = std::string(500, 's');
  char* late = static_cast<char*>(std::malloc(300));
};
thread_local at_thread_end ending;
thread_local std::map<int, std::string> words;

void tls_destructors_allocate() {
  for (int round = 0; round < 50; ++round) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([i] {
        ending.text += 'x';
        for (int k = 0; k < 50; ++k) words[k] = std::string(static_cast<std::size_t>(10 * i + k), 'w');
        churn(500, static_cast<unsigned>(i));
      });
    }
    for (std::thread& t : threads) t.join();
  }
}

pthread_key_t keys[20];
// Each destructor sets its key again for as long as the C library runs more rounds of them.
void key_destructor(void* p) {
  std::free(p);
  churn(20, 3);
  pthread_setspecific(keys[0], std::malloc(64));
}
void key_destructors_allocate() {
  for (pthread_key_t& key : keys) EXPECT(pthread_key_create(&key, key_destructor) == 0);
  for (int round = 0; round < 100; ++round) {
    std::thread([] {
      for (const pthread_key_t key : keys) pthread_setspecific(key, std::malloc(100));
      churn(100, 1);
    }).join();
  }
}

void* left_behind = nullptr;
void at_exit_first() {
  std::free(left_behind);
  churn(1000, 5);
}
void at_exit_second() { left_behind = std::realloc(left_behind, 5000); }
struct static_object {
  ~static_object() {
    std::string().swap(text);
    churn(1000, 6);
  }
  std::string text;
};
static_object at_end_of_program;
void exit_handlers_allocate() {
  left_behind = std::malloc(100);
  at_end_of_program.text = std::string(10000, 'x');
  std::atexit(at_exit_first);
  std::atexit(at_exit_second);
  std::thread([] { churn(1000, 2); }).join();
  std::exit(cases::failures == 0 ? 0 : 1);
}

void memory_outlives_its_thread() {
  for (int round = 0; round < 30; ++round) {
    std::vector<std::vector<char*>> left(8);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < left.size(); ++i) {
      threads.emplace_back([&mine = left[i], i] {
        for (std::size_t k = 0; k < 500; ++k) {
          mine.push_back(static_cast<char*>(std::malloc(k * 5 + i + 1)));
          cases::fill(mine.back(), k * 5 + i + 1, static_cast<unsigned>(k));
        }
      });
    }
    for (std::thread& t : threads) t.join();
    threads.clear();
    for (std::size_t i = 0; i < left.size(); ++i) {
      threads.emplace_back([&theirs = left[(i + 1) % left.size()], owner = (i + 1) % left.size()] {
        for (std::size_t k = 0; k < 500; ++k) {
          EXPECT(cases::filled(theirs[k], k * 5 + owner + 1, static_cast<unsigned>(k)));
          std::free(theirs[k]);
        }
      });
    }
    for (std::thread& t : threads) t.join();
  }
}

void modules_come_and_go() {
  const char* const path = std::getenv("MODULE");
  if (path == nullptr) return EXPECT(false && "MODULE in the environment");
  for (int round = 0; round < 50; ++round) {
    void* const module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    EXPECT(module != nullptr);
    if (module == nullptr) return;
    const auto use = reinterpret_cast<int (*)(int)>(dlsym(module, "module_use"));
    const auto allocate = reinterpret_cast<char* (*)(std::size_t)>(dlsym(module, "module_allocate"));
    EXPECT(use(10) == 510);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([use, i] { EXPECT(use(i * 10) == 500 + i * 10); });
    for (std::thread& t : threads) t.join();
    char* const p = allocate(1000);
    EXPECT(dlclose(module) == 0);
    cases::fill(p, 1000, 1);
    delete[] p;
  }
}

// A child that allocates, frees what its parent allocated, starts a thread, and ends or becomes another program.
[[noreturn]] void child(int number, std::vector<char*>& inherited) {
  churn(2000, static_cast<unsigned>(number));
  for (char* p : inherited) {
    if (!cases::filled(p, 200, 8)) _exit(3);
    std::free(p);
  }
  if (number % 4 == 1) std::thread([] { churn(500, 1); }).join();
  if (number % 10 == 0) execl("/bin/true", "true", static_cast<char*>(nullptr));
  _exit(number % 10 == 0 ? 4 : 0);
}

void forks_under_load() {
  alarm(50);
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  std::atomic<char*> passed_on[16] = {};
  for (unsigned i = 0; i < 4; ++i) {
    threads.emplace_back([&stop, &passed_on, i] {
      for (unsigned k = i; !stop; ++k) {
        churn(200, k);
        std::free(passed_on[k % 16].exchange(static_cast<char*>(std::malloc(k % 5000))));
      }
    });
  }
  std::vector<char*> inherited(100);
  for (char*& p : inherited) cases::fill(p = static_cast<char*>(std::malloc(200)), 200, 8);
  for (int i = 0; i < 200; ++i) {
    const pid_t pid = fork();
    if (pid == 0) child(i, inherited);
    EXPECT(pid > 0);
    churn(100, static_cast<unsigned>(i));
    int status = -1;
    EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
  }
  stop = true;
  for (std::thread& t : threads) t.join();
  for (std::atomic<char*>& p : passed_on) std::free(p);
  for (char* p : inherited) std::free(p);
}

// Many generations: each child forks the next.
void forks_of_forks() {
  alarm(50);
  std::vector<char*> blocks;
  for (int generation = 0; generation < 30; ++generation) {
    for (int i = 0; i < 100; ++i) blocks.push_back(static_cast<char*>(std::malloc(static_cast<std::size_t>(i) * 50)));
    std::thread([] { churn(1000, 1); }).join();
    const pid_t pid = fork();
    if (pid == 0) continue;
    int status = -1;
    const bool ended = waitpid(pid, &status, 0) == pid && status == 0;
    for (char* p : blocks) std::free(p);
    if (generation > 0) _exit(ended ? 0 : 1);
    EXPECT(ended);
    return;
  }
  _exit(0);
}

// Handlers of fork that allocate: the early library's, and these.
void prepare_handler() { churn(50, 1); }
void fork_handlers_allocate() {
  alarm(50);
  EXPECT(early_library() == 0);
  EXPECT(pthread_atfork(prepare_handler, prepare_handler, prepare_handler) == 0);
  forks_under_load();
}

void run_in_place_of_the_child(char** arguments) {
  const pid_t pid = vfork();
  if (pid == 0) {
    execv("/bin/true", arguments);
    _exit(1);
  }
  int status = -1;
  EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
}

void spawns_under_load() {
  alarm(50);
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 3; ++i)
    threads.emplace_back([&stop, i] {
      while (!stop) churn(200, i);
    });
  char name[] = "true";
  char* arguments[] = {name, nullptr};
  for (int i = 0; i < 60; ++i) {
    pid_t pid = 0;
    EXPECT(posix_spawn(&pid, "/bin/true", nullptr, nullptr, arguments, environ) == 0);
    int status = -1;
    EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
    EXPECT(std::system("true") == 0);
  }
  for (int i = 0; i < 20; ++i) run_in_place_of_the_child(arguments);
  stop = true;
  for (std::thread& t : threads) t.join();
}

// The set of blocked signals of thread `name` of this process, as the system shows it.
unsigned long long blocked_signals(const std::string& name) {
  unsigned long long mask = 0;
  if (std::FILE* const file = std::fopen(("/proc/self/task/" + name + "/status").c_str(), "r")) {
    char line[256];
    while (std::fgets(line, sizeof line, file) != nullptr) std::sscanf(line, "SigBlk: %llx", &mask);
    std::fclose(file);
  }
  return mask;
}

// Whatever thread the heap starts must never be the one that runs a handler of the program's.
void background_threads_take_no_signals() {
  std::vector<char*> blocks;
  for (int i = 0; i < 2000; ++i) blocks.push_back(static_cast<char*>(std::memset(std::malloc(50000), 1, 50000)));
  for (char* p : blocks) std::free(p);
  usleep(300000);
  churn(1000, 1);
  usleep(1500000);
  DIR* const tasks = opendir("/proc/self/task");
  while (const dirent* entry = readdir(tasks)) {
    const std::string name = entry->d_name;
    if (name[0] == '.' || name == std::to_string(getpid())) continue;
    for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGALRM, SIGCHLD, SIGPROF})
      EXPECT((blocked_signals(name) >> (signal - 1) & 1) == 1);
  }
  closedir(tasks);
}

// 2,000 threads that live shortly, 100 at a time.
void many_threads_at_once() {
  for (int round = 0; round < 20; ++round) {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 100; ++i) threads.emplace_back([i] { churn(100, i); });
    for (std::thread& t : threads) t.join();
  }
}

void* cancelled(void*) {
  for (;;) {
    churn(10, 1);
    pthread_testcancel();
  }
}
void cancelled_threads() {
  for (int i = 0; i < 50; ++i) {
    pthread_t thread;
    EXPECT(pthread_create(&thread, nullptr, cancelled, nullptr) == 0);
    churn(200, 2);
    pthread_cancel(thread);
    pthread_join(thread, nullptr);
  }
}

void main_thread_exits_first() {
  std::thread([] {
    usleep(50000);
    churn(5000, 1);
    std::exit(0);
  }).detach();
  pthread_exit(nullptr);
}

constexpr cases::test_case all[] = {
    {"TLS destructors allocate", tls_destructors_allocate},
    {"key destructors allocate", key_destructors_allocate},
    {"exit handlers allocate", exit_handlers_allocate},
    {"memory outlives its thread", memory_outlives_its_thread},
    {"modules come and go", modules_come_and_go},
    {"forks under load", forks_under_load},
    {"forks of forks", forks_of_forks},
    {"fork handlers allocate", fork_handlers_allocate},
    {"spawns under load", spawns_under_load},
    {"background threads take no signals", background_threads_take_no_signals},
    {"many threads at once", many_threads_at_once},
    {"cancelled threads", cancelled_threads},
    {"the main thread exits first", main_thread_exits_first},
};

}  // namespace

int main(int argc, char** argv) { return cases::run(argc, argv, all); }
