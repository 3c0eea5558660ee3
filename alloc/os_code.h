// What the addresses of code mean: which file they were mapped from, and which function they lie in.
//
// Names come from the symbol tables of the files, because the dynamic linker knows exported functions only, and of a
// program mostly none. A file is looked at only if it is the one that is mapped, by its build id.
//
// Invariants
//   [os_code.1] ranges come in the order of their addresses; a name is of the function around the address.
// Concurrency
//   Any thread. Allocates nothing; maps the file that it looks at.
// Uses / used by
//   Uses base. Used by profile_file. The Linux side is os_code_linux.cc.
#pragma once

#include "base.h"

namespace umber::alloc::os {

// Code that the system has mapped from a file.
struct code_range {
  std::uintptr_t start = 0;
  std::uintptr_t end = 0;
  std::uint64_t offset = 0;  // in the file
  const char* path = "";
  std::size_t path_length = 0;
  const unsigned char* build_id = nullptr;  // of the linker; null: none
  std::size_t build_id_bytes = 0;
};
// Calls visit(context, range) for all. False: the system does not tell.
bool each_code_range(void (*visit)(void* context, const code_range& range), void* context);

struct code_place {
  std::uintptr_t address = 0;
  const char* function = nullptr;  // as the linker calls it; null: unknown
};
// Names the functions of places in the range, which are in the order of their addresses, and calls use(context): the
// names are valid meanwhile.
void name_functions(const code_range& range, code_place* places, std::size_t count, void (*use)(void* context),
                    void* context);

}  // namespace umber::alloc::os
