#include "destroying.h"

#include "alloc/check.h"
#include "alloc/text.h"

namespace umber::gc {

constinit detail::mutator_state unattached;

namespace {

constinit thread_local const type_layout* destroyed = nullptr;  // the type; null: no destructor runs

}  // namespace

destroying::destroying(const type_layout& type) : before_(detail::current_mutator) {
  detail::current_mutator = &unattached;
  destroyed = &type;
}

destroying::~destroying() {
  destroyed = nullptr;
  detail::current_mutator = before_;
}

void expect_no_destructor(const char* call) {
  if (UMBER_LIKELY(destroyed == nullptr)) return;
  char name[96];
  text type(name, sizeof name);
  for (std::size_t i = 0; i < destroyed->description->name_length; ++i) type << destroyed->description->name[i];
  message line;
  line << "umber: " << call << "(): is called by the destructor of a " << name
       << ": it runs while the heap is swept, and must not touch managed objects (a finalizer may)";
  die(line);
}

}  // namespace umber::gc

namespace umber::detail {

constinit thread_local mutator_state* current_mutator = &gc::unattached;

void expect_readable() noexcept { gc::expect_no_destructor("field::get"); }

}  // namespace umber::detail
