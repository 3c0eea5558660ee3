// Syntax trees of eight types, as a compiler has them: each kind of expression is an object of a type of its own, and a
// link to one says nothing about which.
#pragma once

#include "harness.h"

namespace bench {

enum class kind : std::uint32_t { number, variable, negation, binary, conditional, call, let };

// What every expression begins with.
struct expression {
  kind what;
};

struct number_expression {
  expression head{kind::number};
  std::uint64_t value = 0;
};
struct variable_expression {
  expression head{kind::variable};
  std::uint32_t index = 0;
};
struct negation_expression {
  expression head{kind::negation};
  link<expression> operand = {};
};
struct binary_expression {
  expression head{kind::binary};
  std::uint32_t operation = 0;  // of + - *
  link<expression> left = {}, right = {};
};
struct conditional_expression {
  expression head{kind::conditional};
  link<expression> test = {}, then = {}, otherwise = {};
};
using arguments = array<link<expression>>;
struct call_expression {
  expression head{kind::call};
  std::uint32_t function = 0;
  link<arguments> given = {};
};
struct let_expression {
  expression head{kind::let};
  std::uint32_t index = 0;
  link<expression> value = {}, body = {};
};

// The expression of an object, and the object of an expression, which is of that kind: its first member.
template <class T>
[[nodiscard]] ref<expression> general(const ref<T>& e) {
  return &e->head;
}
template <class T>
[[nodiscard]] T* as(expression* e) {
  return reinterpret_cast<T*>(e);
}
template <class T>
[[nodiscard]] const T* as(const expression* e) {
  return reinterpret_cast<const T*>(e);
}

struct variables {
  std::uint64_t values[8];
};

[[nodiscard]] ref<expression> build(random_source& random, unsigned depth);
[[nodiscard]] std::uint64_t evaluate(const expression* e, variables& v);
// A simpler tree of the same value, all of it new.
[[nodiscard]] ref<expression> rewrite(const ref<expression>& e);
[[nodiscard]] std::uint64_t node_count(const expression* e);
// Drops a whole tree.
void drop_expression(expression* e);

// What is done to numbers, by evaluation and by the rewriting of what is constant.
[[nodiscard]] std::uint64_t binary_value(std::uint32_t operation, std::uint64_t left, std::uint64_t right);
[[nodiscard]] std::uint64_t call_value(std::uint32_t function, std::uint64_t sum, std::uint64_t argument);
[[nodiscard]] inline std::uint64_t call_start(std::uint32_t function) { return function == 1 ? 1 : 0; }

}  // namespace bench
