template <class Item, typename Other>
struct pair_of;
struct PairOf {};
enum class Colour : int { red };
class alignas(64) UMBER_SAFETY(capability("mutex")) MyLock final {};
