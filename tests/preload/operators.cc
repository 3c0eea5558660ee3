// Every form of operator new and delete: what it returns, and how it fails.
#include "cases.h"

#include <dlfcn.h>
#include <cerrno>
#include <limits>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using cases::aligned;
using cases::opaque;
using std::align_val_t;
using std::nothrow;

// What no system can give, hidden from the compiler.
std::size_t too_much() {
  static std::size_t n = std::size_t{1} << 62;
  return *opaque(&n);
}

void every_form() {
  for (std::size_t n = 0; n < 200000; n += n / 2 + 1) {
    void* const single[] = {::operator new(n), ::operator new(n, nothrow), ::operator new(n), ::operator new(n)};
    void* const array[] = {::operator new[](n), ::operator new[](n, nothrow), ::operator new[](n)};
    for (void* p : single) EXPECT(p != nullptr && aligned(p, n <= 8 ? 8 : 16));
    for (void* p : array) EXPECT(p != nullptr && aligned(p, n <= 8 ? 8 : 16));
    for (void* p : single) std::memset(p, 1, n);
    ::operator delete(opaque(single[0]));
    ::operator delete(opaque(single[1]), nothrow);
    ::operator delete(opaque(single[2]), n);
    std::free(opaque(single[3]));
    ::operator delete[](opaque(array[0]));
    ::operator delete[](opaque(array[1]), nothrow);
    ::operator delete[](opaque(array[2]), n);
  }
}

void every_aligned_form() {
  for (std::size_t alignment = 1; alignment <= (1 << 16); alignment *= 2) {
    for (std::size_t n = 0; n < 200000; n += n + 1) {
      const align_val_t a{alignment};
      void* const single[] = {::operator new(n, a), ::operator new(n, a, nothrow), ::operator new(n, a)};
      void* const array[] = {::operator new[](n, a), ::operator new[](n, a, nothrow), ::operator new[](n, a)};
      for (void* p : single) EXPECT(p != nullptr && aligned(p, alignment));
      for (void* p : array) EXPECT(p != nullptr && aligned(p, alignment));
      for (void* p : array) std::memset(p, 1, n);
      ::operator delete(opaque(single[0]), a);
      ::operator delete(opaque(single[1]), a, nothrow);
      ::operator delete(opaque(single[2]), n, a);
      ::operator delete[](opaque(array[0]), a);
      ::operator delete[](opaque(array[1]), a, nothrow);
      ::operator delete[](opaque(array[2]), n, a);
    }
  }
}

void delete_of_null() {
  void* const null = opaque<void>(nullptr);
  const align_val_t a{64};
  ::operator delete(null);
  ::operator delete(null, nothrow);
  ::operator delete (null, std::size_t{10});
  ::operator delete(null, a);
  ::operator delete(null, a, nothrow);
  ::operator delete (null, std::size_t{10}, a);
  ::operator delete[](null);
  ::operator delete[](null, nothrow);
  ::operator delete[](null, std::size_t{10});
  ::operator delete[](null, a);
  ::operator delete[](null, a, nothrow);
  ::operator delete[](null, std::size_t{10}, a);
}

template <class Call>
bool throws_bad_alloc(Call call) {
  try {
    opaque(call());
  } catch (const std::bad_alloc&) {
    return true;
  }
  return false;
}

void failure_throws_bad_alloc() {
  const align_val_t a{128};
  EXPECT(throws_bad_alloc([] { return ::operator new(too_much()); }));
  EXPECT(throws_bad_alloc([] { return ::operator new[](too_much()); }));
  EXPECT(throws_bad_alloc([=] { return ::operator new(too_much(), a); }));
  EXPECT(throws_bad_alloc([=] { return ::operator new[](too_much(), a); }));
  EXPECT(throws_bad_alloc([] { return new char[too_much()]; }));
  EXPECT(throws_bad_alloc([] { return ::operator new(std::numeric_limits<std::size_t>::max()); }));
}

void failure_of_nothrow_is_null() {
  const align_val_t a{128};
  EXPECT(opaque(::operator new(too_much(), nothrow)) == nullptr);
  EXPECT(opaque(::operator new[](too_much(), nothrow)) == nullptr);
  EXPECT(opaque(::operator new(too_much(), a, nothrow)) == nullptr);
  EXPECT(opaque(::operator new[](too_much(), a, nothrow)) == nullptr);
}

int handler_calls = 0;
void give_up_after_three() {
  if (++handler_calls == 3) std::set_new_handler(nullptr);
}
void throw_own() { throw std::out_of_range("own"); }
void throw_bad_alloc() { throw std::bad_alloc(); }

void handler_is_asked_until_there_is_none() {
  const align_val_t a{256};
  handler_calls = 0;
  std::set_new_handler(give_up_after_three);
  EXPECT(throws_bad_alloc([] { return ::operator new(too_much()); }));
  EXPECT(handler_calls == 3);
  handler_calls = 0;
  std::set_new_handler(give_up_after_three);
  EXPECT(opaque(::operator new(too_much(), nothrow)) == nullptr);
  EXPECT(handler_calls == 3);
  handler_calls = 0;
  std::set_new_handler(give_up_after_three);
  EXPECT(throws_bad_alloc([=] { return ::operator new(too_much(), a); }));
  EXPECT(handler_calls == 3);
}

void handler_may_throw() {
  std::set_new_handler(throw_own);
  bool caught = false;
  try {
    opaque(::operator new(too_much()));
  } catch (const std::out_of_range&) {
    caught = true;
  }
  EXPECT(caught);
  EXPECT(opaque(::operator new(too_much(), nothrow)) == nullptr);
  std::set_new_handler(throw_bad_alloc);
  EXPECT(throws_bad_alloc([] { return ::operator new(too_much()); }));
  EXPECT(opaque(::operator new[](too_much(), nothrow)) == nullptr);
  std::set_new_handler(nullptr);
}

void containers_survive_a_failure() {
  std::vector<std::string> strings(1000, std::string(100, 'x'));
  bool caught = false;
  try {
    strings.reserve(std::size_t{1} << 57);
  } catch (const std::bad_alloc&) {
    caught = true;
  }
  EXPECT(caught);
  for (int i = 0; i < 1000; ++i) strings.push_back(std::to_string(i));
  EXPECT(strings.size() == 2000 && strings[1999] == "999" && strings[0].size() == 100);
}

struct alignas(128) wide {
  char bytes[300];
};
void new_expressions() {
  auto one = std::make_unique<wide>();
  EXPECT(aligned(one.get(), 128));
  auto many = std::make_unique<wide[]>(17);
  EXPECT(aligned(many.get(), 128));
  auto shared = std::make_shared<std::vector<wide>>(5);
  EXPECT(aligned(shared->data(), 128));
  auto strings = std::make_unique<std::string[]>(100);
  for (int i = 0; i < 100; ++i) strings[static_cast<std::size_t>(i)] = std::string(static_cast<std::size_t>(i), 'y');
}

constexpr cases::test_case all[] = {
    {"every form", every_form},
    {"every aligned form", every_aligned_form},
    {"delete of null", delete_of_null},
    {"failure throws bad_alloc", failure_throws_bad_alloc},
    {"failure of nothrow is null", failure_of_nothrow_is_null},
    {"the handler is asked until there is none", handler_is_asked_until_there_is_none},
    {"the handler may throw", handler_may_throw},
    {"containers survive a failure", containers_survive_a_failure},
    {"new expressions", new_expressions},
};

}  // namespace

int main(int argc, char** argv) { return cases::run(argc, argv, all); }
