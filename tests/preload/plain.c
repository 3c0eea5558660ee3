/* A program without a C++ runtime of its own, run without the replacement preloaded or with it:
 *   plain LIBRARY MODULE   loads the replacement with dlopen and uses it through dlsym; then loads a C++ module, whose
 *                          runtime comes after the replacement. Says "N passed" and exits with 0 if all of it works. */
#define _GNU_SOURCE
#include <umber/umber_c.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int passed, failed;
#define EXPECT(condition) ((condition) ? (void)++passed : (void)(++failed, fprintf(stderr, "expected %s\n", #condition)))

static void* (*allocate)(size_t);
static void* (*reallocate)(void*, size_t);
static void (*deallocate)(void*);

static void* use(void* unused) {
  char* blocks[500];
  size_t i;
  (void)unused;
  for (i = 0; i < 500; ++i) memset(blocks[i] = allocate(i * 7 + 1), 1, i * 7 + 1);
  for (i = 0; i < 500; ++i) blocks[i] = reallocate(blocks[i], i * 11 + 1);
  for (i = 0; i < 500; ++i) deallocate(blocks[i]);
  return NULL;
}

static void library(const char* path) {
  pthread_t threads[8];
  int i;
  void* const handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  const char* (*version)(void);
  EXPECT(handle != NULL);
  if (handle == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return;
  }
  version = (const char* (*)(void))dlsym(handle, "umber_version");
  allocate = (void* (*)(size_t))dlsym(handle, "umber_malloc");
  reallocate = (void* (*)(void*, size_t))dlsym(handle, "umber_realloc");
  deallocate = (void (*)(void*))dlsym(handle, "umber_free");
  EXPECT(version != NULL && strcmp(version(), UMBER_VERSION) == 0);
  EXPECT(allocate != NULL && reallocate != NULL && deallocate != NULL);
  use(NULL);
  for (i = 0; i < 8; ++i) EXPECT(pthread_create(&threads[i], NULL, use, NULL) == 0);
  for (i = 0; i < 8; ++i) EXPECT(pthread_join(threads[i], NULL) == 0);
  EXPECT(dlclose(handle) == 0);
  use(NULL);
}

static void module(const char* path) {
  void* const handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  int (*use_module)(int);
  int (*catches)(void);
  EXPECT(handle != NULL);
  if (handle == NULL) return;
  use_module = (int (*)(int))dlsym(handle, "module_use");
  catches = (int (*)(void))dlsym(handle, "module_catches_bad_alloc");
  EXPECT(use_module(100) == 600);
  EXPECT(catches() == 1);
  EXPECT(dlclose(handle) == 0);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  library(argv[1]);
  module(argv[2]);
  printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
