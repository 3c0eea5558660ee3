#include "snapshot.h"

#include "weak.h"
#include "weak_map.h"

namespace umber::gc {

namespace {

std::uintptr_t value_of(std::uintptr_t slot) {
  // acquire: pairs with the release of the store.
  return address_of(pointer_to<const std::atomic<void*>>(slot)->load(std::memory_order_acquire));
}

// Fills nodes and edges.
class recorder {
 public:
  recorder(managed_heap& h, snapshot_tables& tables)
      : tables_(tables), boxes_(weak_box_layout()), entries_(weak_entry_layout()), heap_(h) {}

  // Notes where objects begin. False: no memory.
  bool find_objects() {
    // acquire: pairs with the release in grow.
    const std::size_t granules = window.pages.load(std::memory_order_acquire) * (page_size / object_map::granule);
    tables_.word_count = granules / 64 + 1;
    if (!tables_.words.reserve(tables_.word_count) || !tables_.words.have(tables_.word_count)) return false;
    // acquire: pairs with the release in space_for.
    for (space* home = heap_.all_spaces.load(std::memory_order_acquire); home != nullptr; home = home->next) {
      const std::size_t size = home->is_large() ? 0 : info(home->cls).slot_size;
      home->for_each_object([&](std::uintptr_t object) {
        if (!object_map::is_marked(object)) return;
        const std::size_t granule = object_map::granule_of(object);
        if (granule / 64 >= tables_.word_count) return;
        tables_.words[granule / 64].objects |= std::uint64_t{1} << granule % 64;
        bytes_ += size != 0 ? size : span_of(object)->run.count.bytes();
        ++tables_.node_count;
      });
    }
    std::uint64_t before = 0;
    for (std::size_t i = 0; i < tables_.word_count; ++i) {
      tables_.words[i].before = before;
      before += static_cast<std::uint64_t>(std::popcount(tables_.words[i].objects));
    }
    return tables_.node_count < snapshot_tables::none;
  }

  // No object has more pointers than words, even if it shows some twice.
  bool record_all() {
    if (!tables_.nodes.reserve(tables_.node_count + 1) || !tables_.nodes.have(tables_.node_count + 1)) return false;
    if (!tables_.edges.reserve(2 * bytes_ / sizeof(void*) + 1)) return false;
    std::size_t at = 0;
    for (std::size_t i = 0; i < tables_.word_count; ++i)
      for (std::uint64_t bits = tables_.words[i].objects; bits != 0; bits &= bits - 1) {
        const std::size_t granule = i * 64 + static_cast<std::size_t>(std::countr_zero(bits));
        record(object_at(window.base + granule * object_map::granule), tables_.nodes[at++]);
      }
    tables_.nodes[at] = {tables_.edge_count, 0, 0};
    return tables_.complete;
  }

 private:
  // The object that begins in the granule that begins there: slots are multiples of 8 bytes.
  static std::uintptr_t object_at(std::uintptr_t granule) {
    const mspan* s = span_of(granule);
    return s->slot_size == 0 ? s->base : s->base + divide_up(granule - s->base, s->slot_size) * s->slot_size;
  }

  void record(std::uintptr_t object, snapshot_node& node) {
    const mspan* s = span_of(object);
    const space& home = space_of(s);
    const std::size_t bytes = home.is_large() ? s->run.count.bytes() : s->slot_size;
    node = {tables_.edge_count, static_cast<std::uint32_t>(bytes / sizeof(void*)), 0};
    if (home.layout == nullptr) {
      const array_header header = array_header::of(object);
      node.type = snapshot_node::is_array | header.element_id();
      return record_array(object, header);
    }
    node.type = home.layout->id;
    if (home.layout == boxes_)
      add(object + offsetof(detail::weak_box, target), edge_name::weak_target, 0);
    else
      record_fields(object, *home.layout);
    if (home.layout != entries_) return;
    add(object + offsetof(detail::weak_entry, key), edge_name::weak_key, 0);
    add(object + offsetof(detail::weak_entry, value), edge_name::weak_value, 0);
  }

  void record_fields(std::uintptr_t object, const type_layout& layout) {
    if (layout.trace != nullptr) return record_traced(object, layout, object, nullptr);
    for (std::uint32_t i = 0; i < layout.pointer_count; ++i)
      add(object + layout.pointers[i] * sizeof(void*), edge_name::field, i);
  }

  // An array without a header yet is empty: its maker waits inside the allocation.
  void record_array(std::uintptr_t object, array_header header) {
    const type_layout* layout = layout_of(header.element_id());
    if (layout == nullptr || !layout->has_pointers()) return;
    for (std::size_t i = 0; i < header.length(); ++i) {
      const std::uintptr_t element = object + header.bytes() + i * layout->size;
      if (layout->trace != nullptr) {
        record_traced(element, *layout, object, &i);
        continue;
      }
      for (std::uint32_t k = 0; k < layout->pointer_count; ++k)
        add(element + layout->pointers[k] * sizeof(void*), edge_name::element, i);
    }
  }

  struct shown_slots {
    recorder* self;
    std::uintptr_t object;
    const std::size_t* element;
    static void show(void* context, const void* slot) {
      const auto* shown = static_cast<const shown_slots*>(context);
      const std::uintptr_t address = address_of(slot);
      if (shown->element != nullptr) return shown->self->add(address, edge_name::element, *shown->element);
      shown->self->add(address, edge_name::offset, (address - shown->object) / sizeof(void*));
    }
  };
  // A part of `object`; `element` is its number, or null.
  void record_traced(std::uintptr_t part, const type_layout& layout, std::uintptr_t object,
                     const std::size_t* element) {
    shown_slots shown{this, object, element};
    umber::visitor show(shown_slots::show, &shown);
    layout.trace(pointer_to(part), show);
  }

  void add(std::uintptr_t slot, edge_name name, std::size_t which) {
    const std::uintptr_t value = value_of(slot);
    if (value == 0) return;
    const std::uint32_t to = tables_.number_of(value);
    if (to == snapshot_tables::none) return;
    if (UMBER_UNLIKELY(!tables_.edges.have(tables_.edge_count + 1))) return static_cast<void>(tables_.complete = false);
    tables_.edges[tables_.edge_count++] = snapshot_edge::make(to, name, which);
  }

  snapshot_tables& tables_;
  const type_layout* boxes_;
  const type_layout* entries_;
  managed_heap& heap_;
  std::size_t bytes_ = 0;
};

}  // namespace

void take_snapshot(managed_heap& h, snapshot_tables& into) {
  const std::uint64_t began = os::now();
  h.roots.for_each([&](void* object) { into.add_root(address_of(object), snapshot_root::persistent); });
  h.finalizers.for_each_kept([&](void* object) { into.add_root(address_of(object), snapshot_root::finalizer); });
  recorder record(h, into);
  into.complete = into.complete && record.find_objects() && record.record_all();
  into.taken = true;
  timeline::span("snapshot", began, os::now(), "objects", into.node_count);
}

}  // namespace umber::gc
