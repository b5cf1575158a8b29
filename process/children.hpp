// The calling process's children, as the kernel lists them: who they are, which test started them,
// and how to get rid of them. A subreaper (become_subreaper) inherits its descendants' orphans, so
// that what a test leaves behind turns up here, also when it changed its group or session.
//
// libc and the C++ runtime only, C++17: this is part of what is linked into test programs.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::process {

// Names the execution of a test in the environment of its processes: "HEARTH_TEST=" and 16
// hexadecimal digits, as /proc/PID/environ shows them. All zero: no test.
inline constexpr char marker_variable[] = "HEARTH_TEST";
inline constexpr std::size_t marker_digits = 16;
void write_marker(char* digits,
                  std::uint64_t execution);  // exactly marker_digits characters, no NUL

// Orphans among this process's descendants become its children, or, with false, its next
// subreaper's. False where the kernel refuses.
bool become_subreaper(bool on = true);
bool is_subreaper();

// This process gets `signal` when its parent ends. False where `parent` has ended already.
bool die_with_parent(int signal, pid_t parent);

// A descriptor on the kernel's list of this thread's children, or -1.
int open_children_list();

// The children, zombies included, in no particular order. Empty where `children_list` is -1.
std::vector<pid_t> read_children(int children_list);

// The execution that the process's environment names; nullopt: none, or not readable (a zombie's is
// not).
std::optional<std::uint64_t> marker_of(pid_t pid);

// Whether the process's program was started with the mark in its environment, but without the
// variable. False where that cannot be read.
bool is_marked_without(pid_t pid, const std::string& variable);

// The command line, blanks between its words; the bare name in brackets where there is none; at
// most 200 bytes.
std::string command_of(pid_t pid);

// Is it a sanitizer's helper, which makes places in the source of addresses, and ends by itself when
// the process that reported something has?
bool is_symbolizer(std::string_view command);

bool is_zombie(pid_t pid);

// The name (PR_SET_NAME) of a process that is meant to outlive whoever started it: a server that
// stays.
inline constexpr char daemon_name[] = "hearth-log";
enum class Daemons { killed, spared };

// Kills and reaps every child, and the children these leave behind, until there is none, or none
// but daemons. Bounded: gives up after many rounds (a fork bomb), and says so with false.
bool kill_all_children(int children_list, Daemons daemons = Daemons::killed);

}  // namespace hearth::process
