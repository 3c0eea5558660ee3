#include "base.h"

namespace umber::alloc {

holder::holder(int first, int second) noexcept : first_{first}, second_{second}, third_(0) {
@repeat 59   third_ += small;
}

}  // namespace umber::alloc
