#include "zygote/mock_leaks.hpp"

#include <link.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <vector>

extern "C" {
__attribute__((weak)) void hearth_allow_leak(const void*) __asm__("_ZN7testing4Mock9AllowLeakEPKv");
// GMOCK_FLAG(catch_leaked_mocks), if GoogleMock has not been built with absl's flags.
__attribute__((weak)) extern bool hearth_catch_leaked_mocks __asm__(
    "_ZN7testing30FLAGS_gmock_catch_leaked_mocksE");
}

namespace hearth::zygote::mock_leaks {
namespace {

using Address = std::uintptr_t;

// ---- libstdc++'s std::map<const void*, MockObjectState>

struct String {
  Address text;
  std::size_t size;
  char inside[16];
};
struct TreeNode {
  std::uint32_t color;
  Address parent;
  Address left;
  Address right;
};
struct Tree {
  Address compare;
  TreeNode header;
  std::size_t count;
};
struct MapNode {
  TreeNode node;
  Address object;
  Address file;
  int line;
  String suite;
  String test;
  bool leakable;
  Tree functions;
};
static_assert(sizeof(void*) != 8 || sizeof(MapNode) == 176);

struct Mock {
  Address object;
  Address file;
  int line;
  bool operator==(const Mock& other) const {
    return object == other.object && file == other.file && line == other.line;
  }
};

struct State {
  Address registry = 0;  // of the map's header; 0: not found
  bool looked = false;
  std::vector<Mock> at_park;
  std::vector<Mock> not_ours;
  pid_t parked = 0;  // the process that has memory as it was at the park; 0: none has
};

State& state() {
  static State* const the_state = new State;  // outlives static destruction
  return *the_state;
}

bool read_from(pid_t process, Address from, void* to, std::size_t size) {
  iovec local{to, size};
  iovec remote{reinterpret_cast<void*>(from), size};
  return process_vm_readv(process, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size);
}

template <typename T>
bool read_from(pid_t process, Address from, T& to) {
  return read_from(process, from, &to, sizeof to);
}

bool is_empty(const String& string, Address at) {
  return string.size == 0 && string.text == at + offsetof(String, inside);
}

// A node that AllowLeak() has made, and nothing else has touched.
bool is_fresh(const MapNode& node, Address at) {
  const Address header = at + offsetof(MapNode, functions) + offsetof(Tree, header);
  return node.file == 0 && node.line == -1 && is_empty(node.suite, at + offsetof(MapNode, suite)) &&
         is_empty(node.test, at + offsetof(MapNode, test)) && node.leakable &&
         node.functions.count == 0 && node.functions.header.parent == 0 &&
         node.functions.header.left == header && node.functions.header.right == header;
}

constexpr std::size_t most_mocks = 1'000'000;

bool may_be_header(const TreeNode& header, std::size_t count) {
  const auto is_node = [](Address at) { return at > 4096 && at % alignof(MapNode) == 0; };
  return header.color == 0 && is_node(header.parent) && is_node(header.left) &&
         is_node(header.right) && count > 0 && count <= most_mocks;
}

// Is it a map that has `object`, in a fresh node?
bool is_registry(Address at, const TreeNode& header, Address object) {
  constexpr int deepest = 64;
  TreeNode root{};
  if (!read_from(getpid(), header.parent, root) || root.parent != at) return false;
  Address next = header.parent;
  for (int depth = 0; depth < deepest && next != 0; ++depth) {
    MapNode node{};
    if (!read_from(getpid(), next, node)) return false;
    if (node.object == object) return is_fresh(node, next);
    next = object < node.object ? node.node.left : node.node.right;
  }
  return false;
}

__attribute__((no_sanitize("address", "thread"))) Address look_through(Address begin, Address end,
                                                                       Address object) {
  constexpr std::size_t size = offsetof(Tree, count) + sizeof(std::size_t) - offsetof(Tree, header);
  for (Address at = begin; at + size <= end; at += alignof(TreeNode)) {
    const auto* const header = reinterpret_cast<const TreeNode*>(at);
    const auto* const count = reinterpret_cast<const std::size_t*>(header + 1);
    if (may_be_header(*header, *count) && is_registry(at, *header, object)) return at;
  }
  return 0;
}

// From one page that is in memory to the next that is not.
Address look_through_present(Address begin, Address end, Address object) {
  const auto page = static_cast<Address>(sysconf(_SC_PAGESIZE));
  constexpr std::size_t pages_at_a_time = 4096;
  static unsigned char present[pages_at_a_time];
  Address found = 0;
  for (Address at = begin & ~(page - 1); at < end && found == 0;) {
    const std::size_t pages = std::min(pages_at_a_time, (end - at + page - 1) / page);
    if (mincore(reinterpret_cast<void*>(at), pages * page, present) != 0) return 0;
    for (std::size_t i = 0; i < pages && found == 0;) {
      std::size_t last = i;
      while (last < pages && (present[last] & 1) != 0) ++last;
      if (last > i)
        found =
            look_through(std::max(begin, at + i * page), std::min(end, at + last * page), object);
      i = last + 1;
    }
    at += pages * page;
  }
  return found;
}

struct Search {
  Address object;
  Address found;
};

int look_through_module(dl_phdr_info* module, std::size_t, void* context) {
  auto& search = *static_cast<Search*>(context);
  for (int i = 0; i < module->dlpi_phnum && search.found == 0; ++i) {
    const auto& segment = module->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) == 0) continue;
    const Address begin =
        (module->dlpi_addr + segment.p_vaddr + alignof(TreeNode) - 1) & ~(alignof(TreeNode) - 1);
    search.found = look_through_present(
        begin, module->dlpi_addr + segment.p_vaddr + segment.p_memsz, search.object);
  }
  return search.found != 0 ? 1 : 0;
}

Address find_registry() {
  static const char nobody = 0;
  hearth_allow_leak(&nobody);
  Search search{reinterpret_cast<Address>(&nobody), 0};
  dl_iterate_phdr(look_through_module, &search);
  return search.found;
}

// Calls take(const MapNode&) for each mock object that may not be leaked, in the registry's order.
template <typename Take>
void for_each_mock(Take take) {
  TreeNode header{};
  if (state().registry == 0 || !read_from(getpid(), state().registry, header)) return;
  std::vector<Address> ahead;
  std::size_t seen = 0;
  Address next = header.parent;
  while (next != 0 || !ahead.empty()) {
    for (TreeNode node{}; next != 0; next = node.left) {
      if (++seen > most_mocks || !read_from(getpid(), next, node)) return;
      ahead.push_back(next);
    }
    MapNode node{};
    if (!read_from(getpid(), ahead.back(), node)) return;
    ahead.pop_back();
    if (!node.leakable) take(node);
    next = node.node.right;
  }
}

Mock mock_of(const MapNode& node) {
  return {node.object, node.file, node.line};
}

// The first word of a mock object, the address of a table of virtual functions, is the same then
// and now.
bool was_there_at_park(Address object) {
  Address now = 0;
  Address then = 0;
  if (state().parked == 0 || !read_from(getpid(), object, now)) return false;
  if (read_from(state().parked, object, then)) return then == now;
  return errno != EFAULT;  // it cannot be told
}

std::string text_at(Address text, std::size_t size) {
  constexpr std::size_t longest = 4096;
  std::string content(std::min(size, longest), '\0');
  return read_from(getpid(), text, content.data(), content.size()) ? content : std::string();
}

std::string c_text_at(Address text) {
  std::string content;
  char next = 0;
  while (content.size() < 4096 && read_from(getpid(), text + content.size(), next) && next != 0)
    content += next;
  return content;
}

// GoogleMock's sentence.
std::string sentence_on(const MapNode& node) {
  std::string text = node.file == 0 ? "unknown file:" : c_text_at(node.file) + ':';
  if (node.file != 0 && node.line >= 0) text += std::to_string(node.line) + ':';
  text += " ERROR: this mock object";
  const std::string test = text_at(node.test.text, node.test.size);
  if (!test.empty())
    text += " (used in test " + text_at(node.suite.text, node.suite.size) + '.' + test + ')';
  char address[32];
  std::snprintf(address, sizeof address, "%p", reinterpret_cast<void*>(node.object));
  return text + " should be deleted but never is. Its address is @" + address + ".\n";
}

bool is_there() {
  return hearth_allow_leak != nullptr;
}

}  // namespace

void note_park() {
  if (!is_there()) return;
  State& state = mock_leaks::state();
  if (!state.looked) state.registry = find_registry();
  state.looked = true;
  state.at_park.clear();
  for_each_mock([&](const MapNode& node) { state.at_park.push_back(mock_of(node)); });
#ifdef PR_SET_PTRACER
  // Lets its forks read this process's memory; EINVAL: they may as it is.
  if (state.registry != 0) prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
#endif
}

void leave_park(bool in_place) {
  if (!is_there()) return;
  state().not_ours = state().at_park;
  state().parked = in_place ? 0 : getppid();
}

std::string find_at_end() {
  if (!is_there()) return {};
  if (&hearth_catch_leaked_mocks != nullptr && !hearth_catch_leaked_mocks) return {};
  std::string text;
  std::size_t count = 0;
  const auto& not_ours = state().not_ours;
  for_each_mock([&](const MapNode& node) {
    const bool is_old =
        std::find(not_ours.begin(), not_ours.end(), mock_of(node)) != not_ours.end();
    if (is_old || was_there_at_park(node.object)) return;
    text += sentence_on(node);
    ++count;
  });
  if (count == 0) return {};
  return text + "ERROR: " + std::to_string(count) + " leaked mock " +
         (count == 1 ? "object" : "objects") +
         " found at the end. Expectations on a mock object are verified when the object is "
         "destructed. Leaking a mock means that its expectations aren't verified, which is usually "
         "a test bug. If you really intend to leak a mock, you can suppress this error using "
         "testing::Mock::AllowLeak(mock_object), or you may use a fake or stub instead of a "
         "mock.\n";
}

}  // namespace hearth::zygote::mock_leaks
