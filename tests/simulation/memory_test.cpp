// What a schedule of many tests takes in memory, counted in what is allocated: exit status 1 above
// the bound.
#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <new>

#include "client/schedule/scheduler.hpp"

namespace {

std::size_t allocated = 0;
std::size_t peak = 0;

}  // namespace

void* operator new(std::size_t size) {
  void* const memory = std::malloc(size);
  if (!memory) throw std::bad_alloc();
  allocated += malloc_usable_size(memory);
  if (allocated > peak) peak = allocated;
  return memory;
}

void operator delete(void* memory) noexcept {
  if (memory) allocated -= malloc_usable_size(memory);
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
  operator delete(memory);
}

namespace hearth::client {
namespace {

constexpr std::size_t test_count = 100'000;
constexpr std::size_t most_bytes = std::size_t{20} << 20;

struct Variant {
  const char* name;
  ScheduleOptions::Order order;
  std::uint32_t groups;  // 0: none
  bool known;
  bool workers_die;
};

std::vector<PlannedTest> tests_of(const Variant& variant) {
  std::vector<PlannedTest> tests(test_count);
  for (std::uint32_t i = 0; i < test_count; ++i) {
    if (variant.known) tests[i].expected = std::chrono::microseconds(i * 7919 % 10'007);
    if (variant.groups > 0) tests[i].group = i % variant.groups;
  }
  return tests;
}

// Ends every test as soon as it is ordered; a worker may die first. Then adds and runs as many
// again.
void drive(const Variant& variant) {
  ScheduleOptions options;
  options.order = variant.order;
  options.workers = 10;
  Scheduler scheduler(tests_of(variant), options);
  for (Worker worker = 0; worker < options.workers; ++worker) scheduler.worker_joined(worker);
  std::size_t orders = 0;
  for (int round = 0; round < 2; ++round) {
    while (const auto order = scheduler.next()) {
      for (const auto task : order->tasks) scheduler.started(order->worker, task);
      if (variant.workers_die && ++orders % 10 == 0) {
        (void)scheduler.worker_lost(order->worker);
        scheduler.worker_joined(order->worker);
      } else {
        for (const auto task : order->tasks)
          scheduler.finished(order->worker, task, std::chrono::milliseconds(1));
      }
    }
    for (std::size_t i = 0; i < test_count && round == 0; ++i) scheduler.add({});
  }
  if (scheduler.unfinished() > 0) std::abort();
}

bool check(const Variant& variant) {
  const auto before = peak = allocated;
  drive(variant);
  const auto used = peak - before;
  const bool good = used <= most_bytes && allocated == before;
  std::printf("%-36s %6.1f MiB at most, %zu bytes left behind %s\n", variant.name,
              static_cast<double>(used) / (1 << 20), allocated - before, good ? "ok" : "NOT OK");
  return good;
}

}  // namespace
}  // namespace hearth::client

int main() {
  using hearth::client::check;
  using Order = hearth::client::ScheduleOptions::Order;
  bool good = check({"longest first", Order::longest_first, 0, true, false});
  good &= check({"nothing known", Order::longest_first, 0, false, false});
  good &= check({"groups", Order::longest_first, 5000, true, false});
  good &= check({"groups of one", Order::longest_first, 100'000, true, false});
  good &= check({"groups, workers die", Order::longest_first, 5000, true, true});
  good &= check({"as given", Order::as_given, 0, true, false});
  good &= check({"as given, groups, workers die", Order::as_given, 5000, false, true});
  return good ? 0 : 1;
}
