// Objects of which a process has one, however often this library is linked into it: into the
// executable and into shared libraries, each with its adapter, and whatever the linker is told
// about their symbols (-fvisibility=hidden, -Bsymbolic).
//
// How it works: each copy of the library exports the head of a list, under one name. All look it up
// from the executable on, and so find the same one, if at least one copy's symbols are exported at
// all; it holds the objects by name. Copies of another version have other
// names.
#pragma once

#include <cstddef>

#include "hearth/zygote.hpp"

namespace hearth::zygote {

// Made by the first call; outlives static destruction.
template <typename T>
T& only(const char* name) {
  static T* const object = [name] {
    void*& place = shared_place(name, sizeof(T));
    if (place == nullptr) place = new T;
    return static_cast<T*>(place);
  }();
  return *object;
}

}  // namespace hearth::zygote
