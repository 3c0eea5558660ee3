// How syntax trees are made, rewritten and dropped.
#include "ast.h"

namespace bench {

namespace {

ref<expression> make_number(std::uint64_t value) {
  return general(make_plain<number_expression>(expression{kind::number}, value));
}

ref<expression> build_binary(random_source& random, unsigned depth) {
  const ref<binary_expression> made = make<binary_expression>();
  made->operation = static_cast<std::uint32_t>(random.below(3));
  made->left = build(random, depth);
  made->right = build(random, depth);
  return general(made);
}

ref<expression> build_conditional(random_source& random, unsigned depth) {
  const ref<conditional_expression> made = make<conditional_expression>();
  made->test = build(random, depth);
  made->then = build(random, depth);
  made->otherwise = build(random, depth);
  return general(made);
}

ref<expression> build_call(random_source& random, unsigned depth) {
  const ref<call_expression> made = make<call_expression>();
  made->function = static_cast<std::uint32_t>(random.below(4));
  const ref<arguments> given = make_array<link<expression>>(1 + random.below(3));
  made->given = given;
  for (std::size_t i = 0; i < given->size(); ++i) (*given)[i] = build(random, depth);
  return general(made);
}

ref<expression> build_let(random_source& random, unsigned depth) {
  const ref<let_expression> made = make<let_expression>();
  made->index = static_cast<std::uint32_t>(random.below(8));
  made->value = build(random, depth);
  made->body = build(random, depth);
  return general(made);
}

bool is_number(const expression* e) { return e->what == kind::number; }
std::uint64_t value_of(const expression* e) { return as<number_expression>(e)->value; }

ref<expression> rewrite_negation(const ref<negation_expression>& e) {
  const ref<expression> operand = rewrite(e->operand);
  if (is_number(operand)) {
    const std::uint64_t value = 0 - value_of(operand);
    drop_expression(operand);
    return make_number(value);
  }
  const ref<negation_expression> made = make<negation_expression>();
  made->operand = operand;
  return general(made);
}

ref<expression> rewrite_binary(const ref<binary_expression>& e) {
  const ref<expression> left = rewrite(e->left);
  const ref<expression> right = rewrite(e->right);
  if (is_number(left) && is_number(right)) {
    const std::uint64_t value = binary_value(e->operation, value_of(left), value_of(right));
    drop_expression(left);
    drop_expression(right);
    return make_number(value);
  }
  const ref<binary_expression> made = make<binary_expression>();
  made->operation = e->operation;
  made->left = left;
  made->right = right;
  return general(made);
}

ref<expression> rewrite_conditional(const ref<conditional_expression>& e) {
  const ref<expression> test = rewrite(e->test);
  const ref<expression> then = rewrite(e->then);
  const ref<expression> otherwise = rewrite(e->otherwise);
  if (is_number(test)) {
    const bool holds = value_of(test) % 2 == 1;
    drop_expression(test);
    drop_expression(holds ? otherwise : then);
    return holds ? then : otherwise;
  }
  const ref<conditional_expression> made = make<conditional_expression>();
  made->test = test;
  made->then = then;
  made->otherwise = otherwise;
  return general(made);
}

ref<expression> rewrite_call(const ref<call_expression>& e) {
  const ref<arguments> given = make_array<link<expression>>(e->given->size());
  bool all_numbers = true;
  for (std::size_t i = 0; i < given->size(); ++i) {
    (*given)[i] = rewrite((*e->given)[i]);
    all_numbers = all_numbers && is_number((*given)[i]);
  }
  if (all_numbers) {
    std::uint64_t value = call_start(e->function);
    for (const link<expression>& each : *given) {
      value = call_value(e->function, value, value_of(each));
      drop_expression(each);
    }
    drop(given);
    return make_number(value);
  }
  const ref<call_expression> made = make<call_expression>();
  made->function = e->function;
  made->given = given;
  return general(made);
}

ref<expression> rewrite_let(const ref<let_expression>& e) {
  const ref<let_expression> made = make<let_expression>();
  made->index = e->index;
  made->value = rewrite(e->value);
  made->body = rewrite(e->body);
  return general(made);
}

// Calls visit(part) for each expression that this one holds.
template <class Visit>
void for_each_part(const expression* e, Visit visit) {
  switch (e->what) {
    case kind::number:
    case kind::variable:
      return;
    case kind::negation:
      return visit(as<negation_expression>(e)->operand);
    case kind::binary: {
      visit(as<binary_expression>(e)->left);
      return visit(as<binary_expression>(e)->right);
    }
    case kind::conditional: {
      visit(as<conditional_expression>(e)->test);
      visit(as<conditional_expression>(e)->then);
      return visit(as<conditional_expression>(e)->otherwise);
    }
    case kind::call: {
      for (const link<expression>& each : *as<call_expression>(e)->given) visit(each);
      return;
    }
    case kind::let: {
      visit(as<let_expression>(e)->value);
      return visit(as<let_expression>(e)->body);
    }
  }
}

// An object is dropped as what it was made.
[[maybe_unused]] void drop_one(expression* e) {
  switch (e->what) {
    case kind::number:
      return drop(as<number_expression>(e));
    case kind::variable:
      return drop(as<variable_expression>(e));
    case kind::negation:
      return drop(as<negation_expression>(e));
    case kind::binary:
      return drop(as<binary_expression>(e));
    case kind::conditional:
      return drop(as<conditional_expression>(e));
    case kind::call: {
      drop(as<call_expression>(e)->given);
      return drop(as<call_expression>(e));
    }
    case kind::let:
      return drop(as<let_expression>(e));
  }
}

}  // namespace

ref<expression> build(random_source& random, unsigned depth) {
  if (depth == 0 || random.below(8) == 0) {
    if (random.below(2) == 0) return make_number(random.below(1000));
    const auto index = static_cast<std::uint32_t>(random.below(8));
    return general(make_plain<variable_expression>(expression{kind::variable}, index));
  }
  switch (random.below(6)) {
    case 0: {
      const ref<negation_expression> made = make<negation_expression>();
      made->operand = build(random, depth - 1);
      return general(made);
    }
    case 1:
    case 2:
      return build_binary(random, depth - 1);
    case 3:
      return build_conditional(random, depth - 1);
    case 4:
      return build_call(random, depth - 1);
    default:
      return build_let(random, depth - 1);
  }
}

ref<expression> rewrite(const ref<expression>& e) {
  switch (e->what) {
    case kind::number:
      return make_number(value_of(e));
    case kind::variable:
      return general(make_plain<variable_expression>(expression{kind::variable}, as<variable_expression>(e)->index));
    case kind::negation:
      return rewrite_negation(as<negation_expression>(e));
    case kind::binary:
      return rewrite_binary(as<binary_expression>(e));
    case kind::conditional:
      return rewrite_conditional(as<conditional_expression>(e));
    case kind::call:
      return rewrite_call(as<call_expression>(e));
    case kind::let:
      return rewrite_let(as<let_expression>(e));
  }
  fail("a syntax tree holds what is no expression");
}

std::uint64_t node_count(const expression* e) {
  std::uint64_t count = 1;
  for_each_part(e, [&](const expression* part) { count += node_count(part); });
  return count;
}

void drop_expression(expression* e) {
  if constexpr (!has_collector) {
    if (e == nullptr) return;
    for_each_part(e, [](expression* part) { drop_expression(part); });
    drop_one(e);
  }
}

}  // namespace bench
