// umber, by its explicit interface.
#include "allocator.h"

#include <umber/malloc.h>

namespace evolution {

const allocator umber_itself = {"umber", "all of it, checked and measured",
                                [](std::size_t size) { return umber::allocate(size); },
                                [](void* block) { umber::deallocate(block); }};

}  // namespace evolution
