#!/usr/bin/python3
"""Coverage: a served program's counts, line by line, are those of the same program run by hand. Real programs, built here by
g++ (read with gcov) and clang (read with llvm-cov), with the flags of the pkg-config modules.

Usage: coverage_test.py HEARTH MESON-UNINSTALLED [-- NAME...]
"""

import functools
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))

import e2e
from hearth_client import Server

SOURCES = os.path.join(HERE, "programs")
SOME = {"googletest": "Counted.Once", "doctest": "once", "cppunit": "Counted.once"}
FRAMEWORKS = tuple(SOME)
MODES = {
    "one by one": ("--jobs", "1"),
    "in parallel": ("--jobs", "4"),
    "in one process": ("--isolation=none",),
}
THREADED = {"STARTS_THREAD": "1"}
# Of a time limit, for tests that reach it on purpose: they are given what has to happen before it.
SHORT = ("--timeout", "4", "--grace", "0.5")


def need(*tools):
    for tool in tools:
        if shutil.which(tool) is None:
            raise e2e.Skip(f"{tool} is not installed")


def command(*words, **options):
    done = subprocess.run(words, capture_output=True, check=False, timeout=60, **options)
    output = (done.stdout + done.stderr).decode("utf-8", "replace")
    return done.returncode, output


def must(*words, **options):
    status, output = command(*words, **options)
    assert status == 0, f"{' '.join(words)}: {status}\n{output}"
    return output


@functools.cache
def workshop():
    return tempfile.TemporaryDirectory(prefix="hearth-coverage-")


class Program:
    """A program, its library and its plugin, in a folder of their own, which is where they run."""

    compiler = ()

    def __init__(self, framework, *options, name="counted"):
        self.folder = os.path.join(workshop().name, type(self).__name__ + framework + name + "".join(options))
        self.framework = framework
        os.mkdir(self.folder)
        self.path = os.path.join(self.folder, "counted")
        self.m_options = (*self.compiler, "-std=c++17", "-O0", *options)
        thread = os.path.join(self.folder, "thread.o")
        must(self.compiler[0], "-c", source("thread"), "-o", thread)
        self.library = self.build_shared("library")
        self.plugin = self.build_shared("plugin")
        module = "hearth-" + framework
        main = ("-lgtest_main", "-lgtest") if framework == "googletest" else ()
        must(*self.m_options, f'-DPLUGIN="{self.plugin}"', *flags("--cflags", module), source(f"{name}_{framework}"),
             "-o", self.path, thread, self.library, f"-Wl,-rpath,{self.folder}", *flags("--libs", module), *main, "-ldl", "-lpthread",
             cwd=self.folder)

    def build_shared(self, name):
        path = os.path.join(self.folder, f"lib{name}.so")
        must(*self.m_options, "-fPIC", "-shared", source(name), "-o", path, cwd=self.folder)
        return path

    def plain(self, **environment):
        self.clean()
        must(self.path, cwd=self.folder, env=dict(os.environ, **environment))
        return self.counts()

    def run(self, *options, fails=False, **environment):
        """What `hearth run` printed."""
        status, output = command(Server.hearth, "run", *options, self.path, cwd=self.folder, env=dict(os.environ, **environment))
        assert status == (1 if fails else 0), f"hearth run {' '.join(options)}: {status}\n{output}"
        return output

    def served(self, *options, fails=False, **environment):
        self.clean()
        self.run(*options, fails=fails, **environment)
        return self.counts()

    def served_ids(self, ids, *options, **environment):
        """Of tests that fail."""
        path = os.path.join(self.folder, "ids")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"counted.{test_id}\n" for test_id in ids)
        return self.served("--load-list", path, *options, fails=True, **environment)

    def clean(self):
        for path in glob.glob(os.path.join(self.folder, "**", self.data), recursive=True):
            os.remove(path)

    def files(self):
        return sorted(glob.glob(os.path.join(self.folder, "**", self.data), recursive=True))


def is_ours(path):
    return os.path.dirname(os.path.realpath(path)) == os.path.realpath(SOURCES)


class Gcov(Program):
    compiler = ("g++", "--coverage")
    data = "*.gcda"
    tools = ("g++", "gcov")

    def counts(self):
        """{(file, line): how often}"""
        counts = {}
        for data in self.files():
            notes = os.path.join(self.folder, os.path.basename(data).replace(".gcda", ".gcno"))
            beside = data.replace(".gcda", ".gcno")
            if not os.path.exists(beside):
                shutil.copy(notes, beside)
            for document in must("gcov", "--json-format", "--stdout", data, cwd=self.folder).splitlines():
                for file in json.loads(document)["files"] if document.startswith("{") else ():
                    path = os.path.join(self.folder, file["file"])
                    for line in file["lines"] if is_ours(path) else ():
                        key = (os.path.basename(path), line["line_number"])
                        counts[key] = counts.get(key, 0) + line["count"]
        return counts


class ClangGcov(Gcov):
    compiler = ("clang++", "--coverage")
    tools = ("clang++", "llvm-cov")

    def counts(self):
        counts = {}
        for data in self.files():
            with tempfile.TemporaryDirectory() as folder:
                must("llvm-cov", "gcov", data, cwd=folder)
                for report in glob.glob(os.path.join(folder, "*.gcov")):
                    with open(report, encoding="utf-8") as file:
                        lines = [line.rstrip("\n").split(":", 2) for line in file]
                    path = next(rest[7:] for count, _, rest in lines if rest.startswith("Source:"))
                    for count, number, _ in lines if is_ours(path) else ():
                        if count.strip() != "-":
                            key = (os.path.basename(path), int(number))
                            counts[key] = counts.get(key, 0) + int(count.strip(" *").replace("#####", "0"))
        return counts


class Llvm(Program):
    compiler = ("clang++", "-fprofile-instr-generate", "-fcoverage-mapping")
    data = "*.profraw"
    tools = ("clang++", "llvm-profdata", "llvm-cov")

    def counts(self):
        """{(file, line): how often}"""
        files = [path for path in self.files() if os.path.getsize(path) > 0]
        if not files:
            return {}
        merged = os.path.join(self.folder, "merged.profdata")
        must("llvm-profdata", "merge", "-o", merged, *files)
        done = subprocess.run(["llvm-cov", "export", "--format=lcov", "-instr-profile", merged, self.path, "-object", self.library,
                               "-object", self.plugin], capture_output=True, check=True)
        counts = {}
        for record in done.stdout.decode().split("end_of_record"):
            path = re.search(r"^SF:(.*)$", record, re.M)
            for line, count in re.findall(r"^DA:(\d+),(\d+)$", record, re.M) if path and is_ours(path[1]) else ():
                counts[os.path.basename(path[1]), int(line)] = int(count)
        return counts


def source(name):
    return os.path.join(SOURCES, name + ".cpp")


def flags(kind, module):
    environment = dict(os.environ, PKG_CONFIG_PATH=e2e.programs["meson-uninstalled"])
    return must("pkg-config", kind, module, env=environment).split()


@functools.cache
def program(kind, framework, *options, name="counted"):
    need(*kind.tools)
    return kind(framework, *options, name=name)


@functools.cache
def lines_marked(file, mark):
    with open(os.path.join(SOURCES, file), encoding="utf-8") as lines:
        return {number for number, line in enumerate(lines, 1) if f"// {mark}" in line}


def check_equal(plain, served, what, mode=None, threaded=False):
    """In one process a suite may be set up several times; where each test has a process that starts from the beginning, it is
    set up for each of its tests, and not torn down."""
    assert plain and max(plain.values()) > 100, plain
    assert any(file == "library.cpp" for file, _ in plain), plain
    differences = []
    for file, line in sorted(plain.keys() | served.keys()):
        by_hand, through_us = plain.get((file, line)), served.get((file, line))
        is_tear_down = line in lines_marked(file, "tear-down")
        if threaded and is_tear_down and mode != "in one process":
            continue
        if (threaded or mode == "in one process") and (is_tear_down or line in lines_marked(file, "set-up")):
            by_hand, through_us = bool(by_hand), bool(through_us)
        if by_hand != through_us:
            differences.append(f"{file}:{line}: plain {by_hand}, served {through_us}")
    assert not differences, f"{what}, {mode}, {threaded}\n" + "\n".join(differences)


def covered(counts):
    return {line for line, count in counts.items() if count > 0}


def count_in(counts, function):
    """How often a function of code.hpp that has one line was run."""
    with open(os.path.join(SOURCES, "code.hpp"), encoding="utf-8") as lines:
        number = next(number for number, line in enumerate(lines, 1) if f" {function}() {{" in line)
    return counts.get(("code.hpp", number + 1), 0)


def check_modes(counted, **environment):
    plain = counted.plain(**environment)
    for mode, options in MODES.items():
        served = counted.served(*options, **environment)
        check_equal(plain, served, counted.folder, mode, "STARTS_THREAD" in environment)


def check_frameworks(kind, **environment):
    for framework in FRAMEWORKS:
        check_modes(program(kind, framework), **environment)


def test_gcov():
    """gcov's counts in every framework, one by one, in parallel, and in one process, are the plain run's"""
    check_frameworks(Gcov)


def test_gcov_threads():
    """gcov's counts of programs that cannot be forked are the plain run's"""
    check_frameworks(Gcov, **THREADED)


def test_llvm():
    """LLVM's counts in every framework, one by one, in parallel, and in one process, are the plain run's"""
    check_frameworks(Llvm)


def test_llvm_threads():
    """LLVM's counts of programs that cannot be forked are the plain run's, all in the one default.profraw"""
    check_frameworks(Llvm, **THREADED)
    assert os.listdir(program(Llvm, "googletest").folder).count("default.profraw") == 1


def test_clang_gcov():
    """Counts of clang's --coverage are the plain run's, forked and started anew"""
    counted = program(ClangGcov, "googletest")
    check_modes(counted)
    check_modes(counted, **THREADED)


def test_plugins():
    """A library that a test loads, and unloads or not, is counted"""
    for kind in (Gcov, ClangGcov):
        plugged = program(kind, "googletest", name="plugged")
        check_modes(plugged)
        check_modes(plugged, **THREADED)
    plugged = program(Llvm, "googletest", name="plugged")
    check_modes(plugged)
    check_modes(plugged, LLVM_PROFILE_FILE="%m.profraw")
    check_modes(plugged, LLVM_PROFILE_FILE="%m.profraw", **THREADED)


def test_isolated():
    """With a server for each test each adds its own: what is covered is what the plain run covers"""
    for kind in (Gcov, Llvm):
        counted = program(kind, "doctest")
        for environment in ({}, THREADED):
            plain = counted.plain(**environment)
            for jobs in ("1", "3"):
                served = counted.served("--isolated", "--jobs", jobs, **environment)
                assert covered(served) == covered(plain), f"{kind.__name__} {covered(served) ^ covered(plain)}"
                negative = next(key for key in plain if key[0] == "library.cpp" and key[1] == 3)
                assert served[negative] == plain[negative] == 1, f"{kind.__name__} {served[negative]}"


def test_gcov_prefix():
    """GCOV_PREFIX is where the counts go"""
    counted = program(Gcov, "googletest")
    plain = counted.plain()
    for environment in ({}, THREADED):
        counted.clean()
        elsewhere = os.path.join(counted.folder, "elsewhere")
        variables = {"GCOV_PREFIX": elsewhere, "GCOV_PREFIX_STRIP": "1", **environment}
        served = counted.served("--jobs", "4", **variables)
        assert all(path.startswith(elsewhere) for path in counted.files()), counted.files()
        check_equal(counted.plain(**environment), served, "with GCOV_PREFIX", threaded=bool(environment))
        shutil.rmtree(elsewhere)
    assert plain


def test_gcov_adds_up():
    """A second run adds to the first's counts, as by hand"""
    counted = program(Gcov, "googletest")
    plain = counted.plain()
    counted.served("--jobs", "4")
    counted.run("--jobs", "4")
    check_equal({line: 2 * count for line, count in plain.items()}, counted.counts(), "twice")


def test_llvm_patterns():
    """LLVM_PROFILE_FILE with and without %p, %m and %c is followed as by hand"""
    counted = program(Llvm, "googletest")
    plain = counted.plain()
    for pattern in ("one.profraw", "deep/er/one.profraw", "%p.profraw", "m-%m.profraw", "m-%2m.profraw", "%h-%m.profraw"):
        served = counted.served("--jobs", "4", LLVM_PROFILE_FILE=pattern)
        names = [os.path.relpath(path, counted.folder) for path in counted.files()]
        if "%" not in pattern:
            assert names == [pattern], names
        check_equal(plain, served, f"{pattern}: {names}")
        assert len(names) <= 6, names
        served = counted.served("--jobs", "4", LLVM_PROFILE_FILE=pattern, **THREADED)
        check_equal(counted.plain(**THREADED), served, pattern, threaded=True)
    shutil.rmtree(os.path.join(counted.folder, "deep"))


def test_llvm_continuous():
    """Where the counters are the file (%c), each test still counts for itself, and nothing is lost"""
    counted = program(Llvm, "googletest", "-mllvm", "-runtime-counter-relocation")
    check_modes(counted, LLVM_PROFILE_FILE="%c%m.profraw")


def test_llvm_built_in_name():
    """The name that -fprofile-instr-generate=NAME built in is the file"""
    counted = program(Llvm, "doctest", "-fprofile-instr-generate=built-in.profraw")
    for environment in ({}, THREADED):
        plain = counted.plain(**environment)
        served = counted.served("--jobs", "4", **environment)
        assert [os.path.basename(path) for path in counted.files()] == ["built-in.profraw"], counted.files()
        check_equal(plain, served, "built in", threaded=bool(environment))


def check_endings(kind):
    crashing = ("Ends.DISABLED_Crashes", "Ends.DISABLED_Overflows", "Ends.DISABLED_Aborts")
    hanging = ("Ends.DISABLED_Hangs", "Ends.DISABLED_IgnoresTerm")
    counted = program(kind, "googletest")
    for environment in ({}, THREADED):
        served = counted.served_ids(crashing, "--jobs", "4", **environment)
        assert count_in(served, "before_crash") == 2, (environment, served)
        assert count_in(served, "before_abort") == 1, (environment, served)
        served = counted.served_ids((*hanging, "Counted.Negative"), *SHORT, "--jobs", "4", **environment)
        assert count_in(served, "before_term") == 1, (environment, served)
        # Nobody can read a process that the server itself kills.
        assert count_in(served, "before_kill") == (0 if environment else 1), (environment, served)
        assert served["library.cpp", 3] == 1, (environment, served)
    served = counted.served_ids((*crashing, "Counted.Often", *hanging), *SHORT, "--isolation=none")
    assert count_in(served, "before_crash") == 2, served
    assert count_in(served, "before_term") == count_in(served, "before_kill") == 1, served
    assert served["library.cpp", 8] >= 499, served
    served = counted.served_ids(crashing[:1], OWN_HANDLER="1")
    assert count_in(served, "before_crash") == 1, served
    counted = program(kind, "doctest")
    assert count_in(counted.served_ids(("crashes", "overflows")), "before_crash") == 2


def test_crash_is_what_it_was():
    """A test that crashes in an instrumented program ends as it would have, and the program's own handler runs"""
    counted = program(Gcov, "googletest")
    for handler, environment in (({}, {}), ({}, THREADED), ({"OWN_HANDLER": "1"}, {})):
        with Server(counted.path, env={**handler, **environment}) as server:
            results = server.run(*(f"counted.Ends.DISABLED_{name}" for name in ("Crashes", "Overflows", "Aborts")))
            for name, signal in (("Crashes", "SIGSEGV"), ("Overflows", "SIGSEGV"), ("Aborts", "SIGABRT")):
                result = results.of(f"counted.Ends.DISABLED_{name}")
                assert result.status == "fail" and signal in result.text("traceback"), result
            if handler:
                assert "the program's handler" in results.of("counted.Ends.DISABLED_Crashes").text("stdout")
            server.goodbye()


def test_gcov_endings():
    """gcov's counts of tests that crash, or run into their time limit, are kept"""
    check_endings(Gcov)


def test_llvm_endings():
    """LLVM's counts of tests that crash, or run into their time limit, are kept"""
    check_endings(Llvm)


def check_lost(counted, says, **environment):
    """Where tests are forked, the program's end fails; where it is started anew for each, the tests show it."""
    for threads in ({}, THREADED):
        with Server(counted.path, env={**environment, **threads}, cwd=counted.folder) as server:
            results = server.run(f"counted.{SOME[counted.framework]}", exit=True)
            server.goodbye()
            said = [result.text("stderr") + result.text("traceback") for ones in results.results.values() for result in ones]
            assert any(says in text for text in said), f"{counted.path} {threads} {results.results}\n{server.stderr()}"
            if not threads:
                assert results.of("counted.exit").status == "fail", results.results


def test_cannot_be_written():
    """What the runtime says where it cannot write is shown, and the program's end has failed"""
    for framework in FRAMEWORKS:
        check_lost(program(Gcov, framework), "profiling:/dev/null/x", GCOV_PREFIX="/dev/null/x")
        check_lost(program(Llvm, framework), "LLVM Profile Error", LLVM_PROFILE_FILE="/dev/null/x/y")


def test_stripped():
    """Where a program's symbols are stripped, so that counts are lost, this is said"""
    counted = program(Gcov, "doctest")
    whole = counted.path + ".whole"
    shutil.copy(counted.path, whole)
    must("strip", counted.path)
    try:
        check_lost(counted, "its symbols are stripped")
    finally:
        shutil.move(whole, counted.path)


if __name__ == "__main__":
    sys.exit(e2e.main())
