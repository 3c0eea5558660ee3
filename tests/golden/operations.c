/* operations NAME N: performs operation NAME N times, so that a counter of instructions can take a difference. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void sized_delete(void*, size_t);

static void** blocks;
static size_t count;

static void allocate_all(void) {
  for (size_t i = 0; i < count; ++i) blocks[i] = malloc(64);
}
static void free_all(void) {
  for (size_t i = 0; i < count; ++i) free(blocks[i]);
}
static void* free_all_in_thread(void* unused) {
  free_all();
  return unused;
}

static void pairs(void) {
  for (size_t i = 0; i < count; ++i) free(malloc(64));
}
static void batch(void) {
  allocate_all();
  free_all();
}
static void remote(void) {
  allocate_all();
  pthread_t thread;
  if (pthread_create(&thread, NULL, free_all_in_thread, NULL) != 0) exit(1);
  pthread_join(thread, NULL);
}
static void sized(void) {
  sized_delete* const delete_sized = (sized_delete*)dlsym(RTLD_DEFAULT, "_ZdlPvm");
  if (delete_sized == NULL) exit(1);
  allocate_all();
  for (size_t i = 0; i < count; ++i) delete_sized(blocks[i], 64);
}
static void callocs(void) {
  for (size_t i = 0; i < count; ++i) free(calloc(1, 64));
}
static void reallocs(void) {
  void* p = malloc(64);
  for (size_t i = 0; i < count; ++i) p = realloc(p, 60 + i % 2);
  free(p);
}

static const struct {
  const char* name;
  void (*perform)(void);
} operations[] = {{"pairs", pairs}, {"allocations", allocate_all}, {"batch", batch},      {"remote", remote},
                  {"sized", sized}, {"callocs", callocs},          {"reallocs", reallocs}};

int main(int argc, char** argv) {
  if (argc != 3) return 1;
  count = strtoul(argv[2], NULL, 10);
  blocks = malloc(count * sizeof(void*));
  for (size_t i = 0; i < sizeof operations / sizeof operations[0]; ++i)
    if (strcmp(argv[1], operations[i].name) == 0) return operations[i].perform(), 0;
  return 1;
}
