// All of umber for C++20.
#pragma once

#include <umber/external.h>
#include <umber/finalizer.h>
#include <umber/heap.h>
#include <umber/malloc.h>
#include <umber/map.h>
#include <umber/pool.h>
#include <umber/profile.h>
#include <umber/slice.h>
#include <umber/string.h>
#include <umber/vector.h>
#include <umber/weak_map.h>
