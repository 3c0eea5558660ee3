// The public word.
#pragma once
namespace umber {
struct api;
}
