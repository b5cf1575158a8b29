#!/usr/bin/python3
"""What hearth-shim costs: the same server on pipes by itself and behind the shim, both open and warm, by turns.

    shim.py HEARTH HEARTH-SHIM MANY_1 MANY_10000 [PAIRS]

Throughput: from the Run of 10,000 trivial tests to its Done. One warm program may be some percent faster than the next, as its
memory happens to lie: so that is done with several pairs of servers. Latency: from the Run of one test to its Done. Exit code 1
where a bound of docs/performance.md is missed.
"""

import os
import statistics
import sys
import time

from bare import Bare

HEARTH, SHIM, ONE, MANY = map(os.path.abspath, sys.argv[1:5])
PAIRS = int(sys.argv[5]) if len(sys.argv) > 5 else 9
RUNS = 3  # of each pair
SAMPLES = 2000
LEAST_THROUGHPUT = 0.95
MOST_LATENCY = 30  # µs on top


def warm(*command):
    server = Bare(*command)
    server.send(msg="Hello", min=1, max=1)
    server.send(msg="List", nonce="l")
    server.wait_for(b'"Done"')
    return server


def seconds(server):
    """From Run to Done."""
    server.said = b""
    begin = time.perf_counter()
    server.send(msg="Run", nonce="n")
    server.wait_for(b'"Done"')
    return time.perf_counter() - begin


def by_turns(program, count):
    """Seconds of each Run of a pair: [(directly, behind the shim), ...]."""
    serve = [HEARTH, "serve", program]
    servers = warm(*serve), warm(SHIM, "--", *serve)
    taken = [tuple(seconds(server) for server in servers) for _ in range(count)]
    for server in servers:
        server.leave()
    return taken[count // 10:]


def throughput_of_a_pair():
    """Over that on pipes, each at its best."""
    direct, shim = map(min, zip(*by_turns(MANY, RUNS)))
    return direct / shim


def main():
    pairs = sorted(throughput_of_a_pair() for _ in range(PAIRS))
    throughput = statistics.median(pairs)
    direct, shim = (statistics.median(taken) * 1e6 for taken in zip(*by_turns(ONE, SAMPLES)))
    missed = throughput < LEAST_THROUGHPUT, shim - direct > MOST_LATENCY
    print(f"throughput behind the shim, over that on pipes: {throughput:.3f}, of single pairs {pairs[0]:.3f} to {pairs[-1]:.3f} "
          f"(required: {LEAST_THROUGHPUT}){'  MISSED' if missed[0] else ''}")
    print(f"latency of one test: {shim:.0f} µs behind the shim, {direct:.0f} µs on pipes: {shim - direct:+.0f} µs "
          f"(required: at most +{MOST_LATENCY}){'  MISSED' if missed[1] else ''}")
    return 1 if any(missed) else 0


if __name__ == "__main__":
    sys.exit(main())
