#include "destroying.h"

#include "alloc/check.h"
#include "alloc/text.h"

namespace umber::gc {

constinit detail::mutator_state unattached;

destroying::destroying(const type_layout& type) : type_(type), before_(detail::current_mutator) {
  detail::current_mutator = this;
}

destroying::~destroying() { detail::current_mutator = before_; }

const type_layout* destroying::type_here() {
  const detail::mutator_state* here = detail::current_mutator;
  const bool is_destroying = here != &unattached && here->free_local == 0;
  return is_destroying ? &static_cast<const destroying*>(here)->type_ : nullptr;
}

void expect_no_destructor(const char* call) {
  const type_layout* destroyed = destroying::type_here();
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
