#include "base.h"

namespace umber::alloc {

struct holder {
  template <class T>
  static int sixty_one() noexcept {
@repeat 58     if (small) { static_cast<void>(small); }
    return 1;
  }
};

}  // namespace umber::alloc
