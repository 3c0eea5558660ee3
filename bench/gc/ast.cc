// Syntax trees are built, evaluated and rewritten, and some of them kept: objects of many types, all small, that die
// together.
#include "ast.h"

#include <algorithm>

namespace bench {

std::uint64_t binary_value(std::uint32_t operation, std::uint64_t left, std::uint64_t right) {
  return operation == 0 ? left + right : operation == 1 ? left - right : left * right;
}

std::uint64_t call_value(std::uint32_t function, std::uint64_t sum, std::uint64_t argument) {
  switch (function) {
    case 0:
      return sum + argument;
    case 1:
      return sum * argument;
    case 2:
      return sum ^ argument;
    default:
      return std::max(sum, argument);
  }
}

namespace {

std::uint64_t evaluate_call(const call_expression* c, variables& v) {
  std::uint64_t value = call_start(c->function);
  for (const link<expression>& each : *c->given) value = call_value(c->function, value, evaluate(each, v));
  return value;
}

std::uint64_t evaluate_let(const let_expression* l, variables& v) {
  const std::uint64_t hidden = v.values[l->index];
  v.values[l->index] = evaluate(l->value, v);
  const std::uint64_t value = evaluate(l->body, v);
  v.values[l->index] = hidden;
  return value;
}

std::uint64_t use_trees(run& r, lane& l) {
  const ref<array<link<expression>>> kept = make_array<link<expression>>(r.size());
  random_source random = random_of(l, 13);
  std::uint64_t sum = 0;
  l.run(r.operations(3000), [&](std::size_t) {
    constexpr unsigned deep = 10;
    variables v = {{1, 2, 3, 4, 5, 6, 7, 8}};
    const ref<expression> built = build(random, deep);
    const std::uint64_t value = evaluate(built, v);
    const ref<expression> simpler = rewrite(built);
    if (evaluate(simpler, v) != value) fail("a rewritten syntax tree has another value");
    sum = mix(mix(sum, value), node_count(simpler));
    link<expression>& slot = (*kept)[random.below(r.size())];
    drop_expression(slot);
    slot = simpler;
    drop_expression(built);
  });
  for (const link<expression>& each : *kept) drop_expression(each);
  drop(kept);
  return sum;
}

}  // namespace

std::uint64_t evaluate(const expression* e, variables& v) {
  switch (e->what) {
    case kind::number:
      return as<number_expression>(e)->value;
    case kind::variable:
      return v.values[as<variable_expression>(e)->index];
    case kind::negation:
      return 0 - evaluate(as<negation_expression>(e)->operand, v);
    case kind::binary: {
      const auto* b = as<binary_expression>(e);
      const std::uint64_t left = evaluate(b->left, v);
      return binary_value(b->operation, left, evaluate(b->right, v));
    }
    case kind::conditional: {
      const auto* c = as<conditional_expression>(e);
      return evaluate(evaluate(c->test, v) % 2 == 1 ? c->then : c->otherwise, v);
    }
    case kind::call:
      return evaluate_call(as<call_expression>(e), v);
    case kind::let:
      return evaluate_let(as<let_expression>(e), v);
  }
  fail("a syntax tree holds what is no expression");
}

outcome ast(run& r) {
  return {r.on_lanes([&](lane& l) { return use_trees(r, l); })};
}

}  // namespace bench
