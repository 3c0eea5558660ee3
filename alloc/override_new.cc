// The operators new and delete of C++, in all their forms.
//
// libumber_malloc.so depends on the C library alone and serves C programs, yet `new` must call the new-handler and
// throw std::bad_alloc. So the C++ runtime is the program's: its functions are weak references here, null in a program
// that has no such runtime. A runtime that arrives later (a C++ module of python3, loaded with dlopen and out of sight
// of our references) is looked up by its library's name when it is needed, which is never on a path that succeeds.
//
// This is the one file of the engine that is compiled with exceptions: `new (std::nothrow)` has to catch what a
// new-handler throws.
#include "check.h"
#include "fast_path.h"
#include "malloc.h"

#include <dlfcn.h>
#include <initializer_list>
#include <new>

namespace umber::alloc {

// By the names that libstdc++ and libc++ both export.
[[gnu::weak]] std::new_handler linked_get_new_handler() noexcept asm("_ZSt15get_new_handlerv");
[[gnu::weak]] void linked_throw_bad_alloc() asm("_ZSt17__throw_bad_allocv");
// What a catch clause makes the compiler mention.
[[gnu::weak]] void linked_personality() asm("__gxx_personality_v0");
asm(".weak __gxx_personality_v0\n\t.weak __cxa_begin_catch\n\t.weak __cxa_end_catch\n\t.weak _ZSt9terminatev\n\t.weak "
    "_Unwind_Resume");
// Weak too: a static program need not have a dynamic linker.
[[gnu::weak]] void* linked_dlsym(void* library, const char* symbol) asm("dlsym");

namespace {

// `linked`, or the function `symbol` of a C++ runtime that was loaded after us; null if there is none.
template <class Function>
Function find(Function linked, const char* symbol) {
  if (linked != nullptr) return linked;
  if (linked_dlsym == nullptr) return nullptr;
  // By its name, because every static link that sees a mention of dlopen prints a warning.
  const auto open = reinterpret_cast<void* (*)(const char*, int)>(linked_dlsym(RTLD_DEFAULT, "dlopen"));
  if (open == nullptr) return nullptr;
  for (const char* library : {"libstdc++.so.6", "libc++.so.1"}) {
    void* const runtime = open(library, RTLD_LAZY | RTLD_NOLOAD);
    if (runtime == nullptr) continue;
    if (void* const function = linked_dlsym(runtime, symbol)) return reinterpret_cast<Function>(function);
  }
  return nullptr;
}

// The loop that C++ prescribes: ask the handler for memory until there is some, or no handler any more (null).
void* retry(std::size_t alignment, std::size_t n) {
  const auto get_new_handler = find(linked_get_new_handler, "_ZSt15get_new_handlerv");
  if (get_new_handler == nullptr) return nullptr;
  while (const std::new_handler handler = get_new_handler()) {
    handler();
    void* const p = alignment <= min_alignment ? allocate(n) : allocate_aligned(alignment, n);
    if (p != nullptr) return p;
  }
  return nullptr;
}

UMBER_SLOW void* retry_or_throw(std::size_t alignment, std::size_t n) {
  if (void* const p = retry(alignment, n)) return p;
  if (const auto throw_bad_alloc = find(linked_throw_bad_alloc, "_ZSt17__throw_bad_allocv")) throw_bad_alloc();
  message line;
  line << "umber: operator new(): no memory for " << n << " bytes, and no C++ runtime to throw std::bad_alloc";
  die(line);
}

// Without a runtime from the start nothing can be caught here, so a handler that may throw is not asked.
UMBER_SLOW void* retry_or_null(std::size_t alignment, std::size_t n) noexcept {
  if (linked_personality == nullptr) return nullptr;
  try {
    return retry(alignment, n);
  } catch (...) {
    return nullptr;
  }
}

UMBER_FAST void* new_or_throw(std::size_t n) {
  void* const p = fast_allocate(n);
  return UMBER_LIKELY(p != nullptr) ? p : retry_or_throw(min_alignment, n);
}

UMBER_FAST void* new_or_null(std::size_t n) noexcept {
  void* const p = fast_allocate(n);
  return UMBER_LIKELY(p != nullptr) ? p : retry_or_null(min_alignment, n);
}

void* new_or_throw(std::size_t n, std::align_val_t align) {
  const auto alignment = static_cast<std::size_t>(align);
  void* const p = allocate_aligned(alignment, n);
  return UMBER_LIKELY(p != nullptr) ? p : retry_or_throw(alignment, n);
}

void* new_or_null(std::size_t n, std::align_val_t align) noexcept {
  const auto alignment = static_cast<std::size_t>(align);
  void* const p = allocate_aligned(alignment, n);
  return UMBER_LIKELY(p != nullptr) ? p : retry_or_null(alignment, n);
}

}  // namespace

}  // namespace umber::alloc

using namespace umber::alloc;
using std::align_val_t;
using std::nothrow_t;
using std::size_t;

// clang declares the sized forms only on request, and hides what nobody declared.
#pragma GCC visibility push(default)

void* operator new(size_t n) { return new_or_throw(n); }
void* operator new[](size_t n) { return new_or_throw(n); }
void* operator new(size_t n, const nothrow_t&) noexcept { return new_or_null(n); }
void* operator new[](size_t n, const nothrow_t&) noexcept { return new_or_null(n); }
void* operator new(size_t n, align_val_t alignment) { return new_or_throw(n, alignment); }
void* operator new[](size_t n, align_val_t alignment) { return new_or_throw(n, alignment); }
void* operator new(size_t n, align_val_t alignment, const nothrow_t&) noexcept { return new_or_null(n, alignment); }
void* operator new[](size_t n, align_val_t alignment, const nothrow_t&) noexcept { return new_or_null(n, alignment); }

void operator delete(void* p) noexcept { fast_deallocate(p); }
void operator delete[](void* p) noexcept { fast_deallocate(p); }
void operator delete(void* p, const nothrow_t&) noexcept { fast_deallocate(p); }
void operator delete[](void* p, const nothrow_t&) noexcept { fast_deallocate(p); }
void operator delete(void* p, size_t n) noexcept { fast_deallocate_sized(p, n); }
void operator delete[](void* p, size_t n) noexcept { fast_deallocate_sized(p, n); }
void operator delete(void* p, align_val_t) noexcept { fast_deallocate(p); }
void operator delete[](void* p, align_val_t) noexcept { fast_deallocate(p); }
void operator delete(void* p, align_val_t, const nothrow_t&) noexcept { fast_deallocate(p); }
void operator delete[](void* p, align_val_t, const nothrow_t&) noexcept { fast_deallocate(p); }
void operator delete(void* p, size_t n, align_val_t alignment) noexcept {
  deallocate_sized(p, static_cast<size_t>(alignment), n);
}
void operator delete[](void* p, size_t n, align_val_t alignment) noexcept {
  deallocate_sized(p, static_cast<size_t>(alignment), n);
}

#pragma GCC visibility pop
