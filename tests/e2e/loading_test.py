#!/usr/bin/python3
"""Programs that cannot be served, and how programs are named and started."""

import os
import shutil
import subprocess
import sys
import tempfile
import time

import e2e
from e2e import Folder, programs
from hearth_client import Server, await_that


def check_load_failure(program, *causes, options=(), name=None, beside=True):
    """The program is listed as its `.load`, running which says why; the one beside it is served."""
    name = name or os.path.basename(str(program).split()[0])
    others = [programs["faults"]] if beside else []
    with Server(program, *others, options=options) as server:
        listed = server.list()
        assert [test for test in listed if test.startswith(name + ".")] == [name + ".load"], listed
        results = server.run(name + ".load", *(["faults.Leaves.Nothing"] if beside else []), name + ".Any.Test")
        for test in (name + ".load", name + ".Any.Test"):
            result = results.of(test)
            assert result.status == "fail" and result.started == 0, result
            for cause in causes:
                assert cause in result.text("traceback"), result
        assert not beside or results.of("faults.Leaves.Nothing").status == "success"
        assert server.list([name + ".load", name + ".Any.Test"]) == [name + ".load"]
        server.until_done(server.ask_run([name + ".load"]), server.ask_run([name + ".load"]))
        assert server.goodbye() == 0


def test_missing():
    """A program that does not exist"""
    check_load_failure("/nowhere/at/all", "No such file or directory", "build it")


def test_not_executable():
    """A program that is not executable, a script without an interpreter, a folder"""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "program")
        with open(path, "w", encoding="ascii") as file:
            file.write("not a program\n")
        check_load_failure(path, "Permission denied (it is a text file)", "executable")
        os.chmod(path, 0o755)
        check_load_failure(path, "Exec format error (it is a text file)", "compiled test program")
        with open(path, "w", encoding="ascii") as file:
            file.write("#!/nowhere/interpreter\n")
        check_load_failure(path, "No such file or directory", "interpreter")
    check_load_failure("/usr", "it is a folder")


def test_no_test_programs():
    """Programs that are no test programs"""
    for program, cause in ((programs["not_a_test"], ""), ("/bin/true", "exited with status 0"),
                           ("/bin/false", "exited with status 1"), ("/bin/cat", "exited with status 0"),
                           ("/bin/echo these words", "these words"), ("/usr/bin/env", "HEARTH_CHANNEL")):
        check_load_failure(program, cause, "without a word from a Hearth adapter", "pkg-config")


CLOCK_REALTIME_COARSE = 5  # which gives files their times


def make_script(folder, *lines):
    path = os.path.join(folder.path, "script")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(("#!/bin/sh", *lines, "")))
    os.chmod(path, 0o755)
    # A file that is looked at in the moment in which it changes may change unseen, and is loaded again for that.
    while time.clock_gettime_ns(CLOCK_REALTIME_COARSE) <= os.stat(path).st_ctime_ns:
        pass
    return path


def test_unmodified():
    """A test program without the adapter is not started: its tests have effects. One with the adapter in a library is served"""
    with Folder() as folder:
        check_load_failure(programs["unmodified"], "it is a GoogleTest program without Hearth's adapter",
                           "was not started", "pkg-config", options=folder.options)
        assert not folder.lines("ran")
        script = make_script(folder, f"exec '{programs['unmodified']}'")  # what it executes cannot be seen
        check_load_failure(script, "without a word from a Hearth adapter", options=folder.options)
        with Server(programs["carrier"], options=folder.options) as server:
            assert server.list() == ["carrier.Unmodified.LeavesALine"], server.state()
            assert server.run().statuses() == {"carrier.Unmodified.LeavesALine": "success"}


def test_started_once():
    """What cannot be served is started once by one `hearth run`, `check` or `list`, and said once"""
    for arguments in (("run", "--no-history"), ("run", "--no-history", "--listed-order", "-j1"), ("check",),
                      ("check", "--compare"), ("list",)):
        with Folder() as folder:
            script = make_script(folder, f"echo once >>'{folder.path}/started'", "echo these words >&2", "exit 3")
            done = subprocess.run([Server.hearth, *arguments, script], capture_output=True, text=True, timeout=300)
            assert done.returncode == (0 if arguments[0] == "list" else 1), done
            assert folder.lines("started") == ["once"], (arguments, folder.lines("started"), done)
            assert (done.stdout + done.stderr).count("these words") == (arguments[0] != "list"), done
    for program, words in (("/nowhere/at/all", "No such file"), ("/usr", "it is a folder"),
                           (programs["unmodified"], "without Hearth's adapter")):
        for command in ("run", "--no-history"), ("check",):
            done = subprocess.run([Server.hearth, *command, program], capture_output=True, text=True, timeout=300)
            assert done.returncode == 1 and (done.stdout + done.stderr).count(words) == 1, done


def test_tried_again():
    """What could not be served is started again for a List that comes again, and for what comes after a Run"""
    with Folder() as folder:
        script = make_script(folder, f"echo once >>'{folder.path}/started'", "exit 3")
        with Server(script) as server:
            starts = lambda: len(folder.lines("started"))
            assert server.list() == ["script.load"] and starts() == 1
            assert server.list(["script.load"]) == ["script.load"] and starts() == 1
            server.until_done(server.ask_run(["script.load"]))
            assert starts() == 1
            server.until_done(server.ask_run(["script.load"]))
            assert starts() == 2
            assert server.list() == ["script.load"] and starts() == 3
            assert server.list() == ["script.load"] and starts() == 4
            assert server.goodbye() == 0


def test_hanging():
    """Programs that do not get ready in time"""
    options = ("--load-timeout", "0.5")
    check_load_failure("/bin/sleep 1000000", "was not ready to run tests within 0.5 s", "no word came", options=options, beside=False)
    check_load_failure(programs["hangs_at_load"], "was not ready to run tests within 0.5 s", options=options, beside=False)


def test_load_while_another_hangs():
    """A program that hangs while loading keeps no other from being listed by id, and run"""
    with Server(programs["hangs_at_load"], programs["faults"]) as server:
        results = server.run("faults.Leaves.Nothing")
        assert results.of("faults.Leaves.Nothing").status == "success"
        assert server.list(["faults.Leaves.Nothing"]) == ["faults.Leaves.Nothing"]
        server.until_done(server.ask_run([]), server.ask_list([]))
        assert server.goodbye() == 0


def test_dying():
    """Programs that die while they load"""
    check_load_failure(programs["dies_at_load"], "signal ")
    check_load_failure(programs["exits_at_load"], "exited with status")
    check_load_failure(programs["closes_all_fds_at_load"], "before it had reached its first test")


def script(folder, *lines):
    path = os.path.join(folder, "wrapper")
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(("#!/bin/sh", *lines)) + "\n")
    os.chmod(path, 0o755)
    return path


def test_two_copies():
    """A command that starts the program twice is refused, with both processes' numbers and what to do"""
    with tempfile.TemporaryDirectory() as folder:
        path = script(folder, f"{programs['hangs_at_load']} &", f"exec {programs['hangs_at_load']}")
        check_load_failure(path, "two processes answered, ", "starts the program more than once", "exec")


def test_copy_that_comes_late():
    """The same where the second comes when the first has been listed: no test of either runs"""
    with tempfile.TemporaryDirectory() as folder:
        gate = os.path.join(folder, "gate")
        os.mkfifo(gate)
        path = script(folder, f"(read go <{gate}; exec {programs['helped']}) &", f"exec {programs['helped']}")
        with Server(f"late={path}") as server:
            listed = server.list()
            assert len(listed) == 22, listed
            with open(gate, "w", encoding="ascii") as opened:
                opened.write("go\n")
            await_that(lambda: "two processes answered" in server.stderr(), "the second")


def test_other_process():
    """A main() that starts its program anew, or runs the tests in a fork: the cause is named"""
    check_load_failure(f"{programs['odd_main']} restart", "had started itself anew", "HEARTH_TEST")
    check_load_failure(f"{programs['odd_main']} fork", "were about to run in process ", "which it had forked")
    with Server(programs["odd_main"]) as server:
        assert server.run().of("odd_main.Any.Passes").status == "success"


def test_wrappers():
    """A wrapper that closes descriptors, or clears the environment: the cause is named, and no test runs"""
    with tempfile.TemporaryDirectory() as folder:
        path = script(folder, f"exec python3 -c 'import os; os.closerange(3, 1000); os.execv(\"{programs['faults']}\", [\"f\"])'")
        check_load_failure(path, "descriptor 200, which leads to the Hearth server, was closed", "A wrapper must leave it open", name="wrapper")
        path = script(folder, f"exec env -i {programs['not_a_test']}")
        check_load_failure(path, "If a wrapper starts it, does that pass on its environment and descriptors?", name="wrapper")


def test_never_forked():
    """A program that a fork does not copy whole passes with --fork never, or if it says so itself"""
    name = "cannot_be_forked"
    tests = {f"{name}.{suite}.IsThere": "success" for suite in ("Memory", "SetUpMemory")}
    with Server(programs[name]) as server:
        assert "SIGSEGV" in server.run(f"{name}.Memory.IsThere").of(f"{name}.Memory.IsThere").text("traceback")
    for more in ([], ["--isolation=none"]):
        with Server(programs[name], options=["--fork", "never", *more]) as server:
            assert server.run(*tests).statuses() == tests, server.state()
            assert "is started anew for each " in server.stderr() and "--fork never" in server.stderr()
        with Server(programs[name], options=more, env={"SAYS_SO": "1"}) as server:
            assert server.run(*tests).statuses() == tests, server.state()
            assert "it has memory of a device" in server.stderr()
    isolated = subprocess.run([Server.hearth, "run", "--no-history", "--isolated", programs[name]], capture_output=True,
                              timeout=300, check=False, env={**os.environ, "HEARTH_FORK": "never"})
    assert isolated.returncode == 0, isolated


def test_noise():
    """A program that prints noise to descriptors 0 to 20 while it loads is served"""
    with Server(programs["noise_at_load"]) as server:
        ids = server.list()
        results = server.run()
        assert set(results.statuses()) == set(ids), server.state()
        assert results.of("noise_at_load.Noise.Passes").status == "success", server.state()
        assert results.of("noise_at_load.Noise.Fails").status == "fail", server.state()
        assert not results.errors


def test_no_tests():
    """A program that has no tests, and says so, is listed as nothing"""
    with Server(programs["no_tests"]) as server:
        assert server.list() == []
        assert not server.run().results
        assert server.goodbye() == 0


def test_names():
    """NAME=PATH, a quoted command line, and a path with blanks"""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "with blanks")
        shutil.copy(programs["faults"], path)
        arguments = (f"one={path}", f"two='{path}' --gtest_filter=Leaves.No*", path,
                     f"three={programs['faults']} '--gtest_filter=Leaves.Nothing:*.Nowhere'")
        with Server(*arguments) as server:
            ids = server.list()
            assert "one.Leaves.Nothing" in ids and "one.Expensive.One" in ids, ids
            assert "with_blanks.Leaves.Nothing" in ids, ids
            filtered = sorted(test for test in ids if test.startswith(("two.", "three.")))
            assert filtered == ["three.Leaves.Nothing", "two.Leaves.Nothing"], ids
            tests = [name + ".Leaves.Nothing" for name in ("one", "two", "three", "with_blanks")]
            assert server.run(*tests).statuses() == dict.fromkeys(tests, "success")


def refused(*arguments):
    done = subprocess.run([Server.hearth, "serve", *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=300)
    assert done.returncode == 2 and not done.stdout, done
    return done.stderr.decode()


def test_equal_names():
    """Two programs of one name, or of names that could make one id, are refused with a way out"""
    faults = programs["faults"]
    assert "both programs are called 'faults'" in refused(faults, faults)
    assert "NAME=" in refused(faults, f"faults={programs['helped']}")
    assert "could give two tests one id" in refused(f"a={faults}", f"a.b={faults}")
    assert "not closed" in refused(f"{faults} 'unclosed")
    assert refused() and refused("--jobs", "none", faults)


def test_hidden():
    """Disabled tests are not listed and not run, unless they are asked for by id"""
    name = "behaviours_googletest."
    hidden = {name + "Verdict.DISABLED_Passes": "success", name + "Verdict.DISABLED_Fails": "fail",
              name + "DISABLED_Suite.Passes": "success", name + "ExpensiveSuite.DISABLED_IsUsed": "success"}
    with Server(programs["behaviours_googletest"]) as server:
        assert not set(hidden) & set(server.list())
        assert sorted(server.list(list(hidden))) == sorted(hidden)
        results = server.run(*hidden)
        assert results.statuses() == hidden, server.state()


def test_unknown_and_repeated_ids():
    """Unknown ids fail under their own names; an id twice runs twice in a Run, and is listed once"""
    known = "faults.Leaves.Nothing"
    unknown = ["", ".", "faults", "faults.", "faults.Leaves.Nothing ", "other.test", "ünïcode\tand\ncontrol",
               "faults.Leaves.Nothing.load", "x" * 60_000]
    with Folder() as folder, Server(programs["faults"], options=("--jobs", "4", *folder.options)) as server:
        assert server.list([known, *unknown, known, known]) == [known]
        results = server.run(known, *unknown, known, "other.test", known)
        by_id = {}
        for (test, _), runs in results.results.items():
            by_id[test] = [run.status for run in runs]
        assert by_id.pop(known) == ["success"] * 3, server.state()
        assert by_id.pop("other.test") == ["fail"] * 2, server.state()
        assert by_id == {test: ["fail"] for test in unknown if test != "other.test"}, server.state()


def test_empty_and_absent():
    """`"tests": []` lists and runs nothing; absent means all"""
    with Server(programs["helped"]) as server:
        assert server.list([]) == [] and len(server.list()) == 22
        server.until_done(server.ask_run([]))
        assert not server.collector.results
        assert len(server.run().results) == 22


if __name__ == "__main__":
    sys.exit(e2e.main())
