// Each change is one walk from the root down, and recursions that are as deep as the tree: some 2 ln n levels.
#include "sorted_set.h"

#include <random>

namespace kv {

namespace {

std::uint32_t draw() {
  thread_local std::minstd_rand generator(std::random_device{}());
  return static_cast<std::uint32_t>(generator());
}

}  // namespace

// Below `from`: what comes before `by`, and what comes after it.
void sorted_set::split(node* from, const node& by, umber::field<node>& before, umber::field<node>& after) noexcept {
  if (from == nullptr) {
    before = nullptr;
    after = nullptr;
  } else if (is_before(*from, by.score, by.member->view())) {
    before = from;
    split(from->right, by, from->right, after);
    recount(*from);
  } else {
    after = from;
    split(from->left, by, before, from->left);
    recount(*from);
  }
}

void sorted_set::merge(node* before, node* after, umber::field<node>& into) noexcept {
  if (before == nullptr || after == nullptr) {
    into = before == nullptr ? after : before;
  } else if (before->priority > after->priority) {
    into = before;
    merge(before->right, after, before->right);
    recount(*before);
  } else {
    into = after;
    merge(before, after->left, after->left);
    recount(*after);
  }
}

void sorted_set::link(node& n) noexcept {
  umber::field<node>* place = &root_;
  while (*place != nullptr && (*place)->priority > n.priority) {
    ++(*place)->below;
    place = is_before(**place, n.score, n.member->view()) ? &(*place)->right : &(*place)->left;
  }
  node* const displaced = *place;
  split(displaced, n, n.left, n.right);
  recount(n);
  *place = &n;
}

void sorted_set::unlink(node& n) noexcept {
  umber::field<node>* place = &root_;
  while (place->get() != &n) {
    --(*place)->below;
    place = is_before(**place, n.score, n.member->view()) ? &(*place)->right : &(*place)->left;
  }
  merge(n.left, n.right, *place);
  n.left = nullptr;
  n.right = nullptr;
}

void sorted_set::insert(std::string_view member, double score) {
  const umber::local<umber::string> text = umber::make_string(member);
  const umber::local<node> made = umber::make<node>();
  made->member = text;
  made->score = score;
  made->priority = draw();
  by_member_.insert(text, made);
  link(*made);
}

void sorted_set::change_score(node& n, double score) noexcept {
  unlink(n);
  n.score = score;
  link(n);
}

void sorted_set::remove(node& n) noexcept {
  unlink(n);
  by_member_.erase(n.member);
}

std::size_t sorted_set::rank_of(double score, std::string_view member) const noexcept {
  std::size_t before = 0;
  for (node* n = root_; n != nullptr;) {
    const bool smaller = is_before(*n, score, member);
    if (smaller) before += count(n->left) + 1;
    n = smaller ? n->right : n->left;
  }
  return before;
}

std::size_t sorted_set::count_before(double score, bool with_equal) const noexcept {
  std::size_t before = 0;
  for (node* n = root_; n != nullptr;) {
    const bool smaller = with_equal ? n->score <= score : n->score < score;
    if (smaller) before += count(n->left) + 1;
    n = smaller ? n->right : n->left;
  }
  return before;
}

sorted_set::node* sorted_set::at(std::size_t rank) const noexcept {
  node* n = root_;
  for (;;) {
    const std::size_t own = count(n->left);
    if (rank == own) return n;
    n = rank < own ? n->left : n->right;
    if (rank > own) rank -= own + 1;
  }
}

}  // namespace kv
