// All of umber for C++20.
#pragma once

#include <umber/heap.h>
#include <umber/malloc.h>
