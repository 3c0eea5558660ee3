// Members with scores, in the order of both: a tree in which each node knows how many are below it, so that ranks are
// found as fast as members are. It is a treap (Seidel and Aragon 1996): in order of (score, member), and a heap by a
// random number that each node draws. Beside it is a map from members to nodes.
#pragma once

#include "entry.h"
#include "numbers.h"

#include <umber/map.h>

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace kv {

// Held by the caller; guarded by the lock of its key's shard. Nothing but `insert` is a safepoint.
class sorted_set {
 public:
  static constexpr kind stands_for = kind::sorted_set;

  struct node {
    umber::field<umber::string> member;
    umber::field<node> left, right;
    double score = 0;
    std::uint32_t below = 1;  // this one, too
    std::uint32_t priority = 0;
  };

  [[nodiscard]] std::size_t size() const noexcept { return count(root_); }
  [[nodiscard]] node* find(std::string_view member) const noexcept { return by_member_.find(member).get(); }
  // The member is not there. May throw std::bad_alloc: then nothing has changed.
  void insert(std::string_view member, double score);
  void change_score(node& n, double score) noexcept;
  void remove(node& n) noexcept;

  // How many come before it.
  [[nodiscard]] std::size_t rank(const node& n) const noexcept { return rank_of(n.score, n.member->view()); }
  // How many have a score below the bound, or one that is not above it.
  [[nodiscard]] std::size_t count_before(double score, bool with_equal) const noexcept;
  // There is such a rank.
  [[nodiscard]] node* at(std::size_t rank) const noexcept;

  // Calls visit(node) for the ranks from `first` up to before `end`, or in the reverse order. It is no safepoint, and
  // neither is `visit`.
  template <class Visit>
  void visit(std::size_t first, std::size_t end, Visit visit) const {
    visit_below<false>(root_, first, end, visit);
  }
  template <class Visit>
  void visit_reversed(std::size_t first, std::size_t end, Visit visit) const {
    visit_below<true>(root_, first, end, visit);
  }

 private:
  static std::uint32_t count(const node* n) noexcept { return n == nullptr ? 0 : n->below; }
  static void recount(node& n) noexcept { n.below = 1 + count(n.left) + count(n.right); }
  static bool is_before(const node& n, double score, std::string_view member) noexcept {
    return n.score < score || (n.score == score && n.member->view() < member);
  }
  [[nodiscard]] std::size_t rank_of(double score, std::string_view member) const noexcept;
  static void split(node* from, const node& by, umber::field<node>& before, umber::field<node>& after) noexcept;
  static void merge(node* before, node* after, umber::field<node>& into) noexcept;
  void link(node& n) noexcept;
  void unlink(node& n) noexcept;

  template <bool Reversed, class Visit>
  static void visit_below(node* n, std::size_t first, std::size_t end, Visit& visit) {
    if (n == nullptr || first >= end) return;
    const std::size_t own = count(n->left);
    const auto visit_left = [&] { visit_below<Reversed>(n->left, first, std::min(end, own), visit); };
    const auto visit_right = [&] {
      if (end > own + 1) visit_below<Reversed>(n->right, std::max(first, own + 1) - own - 1, end - own - 1, visit);
    };
    if constexpr (Reversed)
      visit_right();
    else
      visit_left();
    if (first <= own && own < end) visit(*n);
    if constexpr (Reversed)
      visit_left();
    else
      visit_right();
  }

  umber::map<umber::field<umber::string>, umber::field<node>> by_member_;
  umber::field<node> root_;

 public:
  static constexpr auto pointers = umber::pointers(&sorted_set::by_member_, &sorted_set::root_);
};

}  // namespace kv
