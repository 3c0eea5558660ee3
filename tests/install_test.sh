#!/usr/bin/env bash
# An installed umber is found by pkg-config and by CMake, and both kinds of library link. Argument: the build.
set -euo pipefail
build=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export DESTDIR=$scratch/dest
meson install -C "$build" --no-rebuild --quiet >/dev/null
unset DESTDIR
prefix=$scratch/dest$(meson introspect --buildoptions "$build" |
  python3 -c 'import json, sys; print(next(o["value"] for o in json.load(sys.stdin) if o["name"] == "prefix"))')

cat >"$scratch/probe.cc" <<'CC'
#include <cstdlib>
#include <umber/umber.h>
int main() {
  std::free(std::malloc(48));
  delete new int(1);
}
CC
pc=$(find "$prefix" -name umber.pc)
pkg=(env PKG_CONFIG_PATH="$(dirname "$pc")" pkg-config --define-variable=prefix="$prefix")
for name in umber umber_malloc; do
  # Word splitting is meant: these are lists of flags.
  # shellcheck disable=SC2046
  "${CXX:-c++}" -std=c++20 "$scratch/probe.cc" -o "$scratch/probe" $("${pkg[@]}" --cflags --libs "$name")
  LD_LIBRARY_PATH=$(dirname "$pc")/.. "$scratch/probe"
done

# The first program of the README, as it stands there.
sed -n '/^```cpp$/,/^```$/p' "$(dirname "$0")/../README.md" | sed '/^```/d' >"$scratch/readme.cc"
# shellcheck disable=SC2046
"${CXX:-c++}" -std=c++20 -O2 -Wall -Wextra -Werror "$scratch/readme.cc" -o "$scratch/readme" $("${pkg[@]}" --cflags --libs umber)
LD_LIBRARY_PATH=$(dirname "$pc")/.. "$scratch/readme"

# The replacement also stands in for malloc in a program without any shared library: no symbol is defined twice.
"${CXX:-c++}" -std=c++20 -static "$scratch/probe.cc" -o "$scratch/probe" "$(dirname "$pc")/../libumber_malloc.a" \
  -I"$prefix/include"
"$scratch/probe"

cat >"$scratch/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.20)
project(probe CXX)
find_package(umber 0.1 REQUIRED)
foreach(library umber umber_static malloc malloc_static)
  add_executable(probe_${library} probe.cc)
  target_link_libraries(probe_${library} umber::${library})
endforeach()
CMAKE
cmake -S "$scratch" -B "$scratch/cmake" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build "$scratch/cmake" >/dev/null
for library in umber umber_static malloc malloc_static; do "$scratch/cmake/probe_$library"; done
