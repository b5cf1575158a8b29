// What the machine itself costs, for the server's figures to be compared with.
//
//   fork_floor forks N JOBS   N forks that end at once, JOBS at a time: prints forks per second
//   fork_floor requests       answers each byte on stdin by a fork that writes one byte to stdout
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

void forks(int count, int jobs) {
  const auto begin = std::chrono::steady_clock::now();
  int running = 0;
  for (int i = 0; i < count; ++i) {
    if (running == jobs) {
      wait(nullptr);
      --running;
    }
    if (fork() == 0) _exit(0);
    ++running;
  }
  while (running-- > 0) wait(nullptr);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("%.1f\n", count / took.count());
}

void requests() {
  char request = 0;
  while (read(0, &request, 1) == 1) {
    const pid_t child = fork();
    if (child == 0) _exit(write(1, &request, 1) == 1 ? 0 : 1);
    waitpid(child, nullptr, 0);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "forks") == 0) {
    forks(std::atoi(argv[2]), std::atoi(argv[3]));
  } else if (argc == 2 && std::strcmp(argv[1], "requests") == 0) {
    requests();
  } else {
    std::fprintf(stderr, "usage: fork_floor forks N JOBS | fork_floor requests\n");
    return 2;
  }
}
