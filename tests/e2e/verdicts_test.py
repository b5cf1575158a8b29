#!/usr/bin/python3
"""What becomes of a test, whatever it does, and of those beside it."""

import shutil
import signal
import sys

import e2e
from e2e import Folder, programs
from hearth_client import Server, is_alive

# Long enough for what has to happen before it, also on a machine that is busy otherwise.
SHORT = ("--timeout", "4", "--grace", "0.5")


def behave(*tests, jobs=4, options=()):
    """Runs tests of behaviours_googletest beside one that passes; gives the results by the tests' names."""
    name = "behaviours_googletest."
    with Server(programs["behaviours_googletest"], options=("--jobs", str(jobs), *options)) as server:
        results = server.run(*(name + test for test in tests), name + "Verdict.Passes")
        assert results.of(name + "Verdict.Passes").status == "success"
        server.goodbye()
        return [results.of(name + test) for test in tests]


def check(result, status, *texts, name="traceback"):
    assert result.status == status, result
    for text in texts:
        assert text in result.text(name), result


def test_endings():
    """A test that ends its process before its verdict fails, with how it ended"""
    endings = {
        "Aborts": "signal 6 (SIGABRT)",
        "Segfaults": "signal 11 (SIGSEGV)",
        "KillsItself": "signal 9 (SIGKILL)",
        "TerminatesItself": "signal 15 (SIGTERM)",
        "KillsItsGroup": "signal 9 (SIGKILL)",
        "LeavesWithStatus0": "exited with status 0",
        "LeavesWithStatus3": "exited with status 3",
        "ExitsWithStatus0": "exited with status 0",
    }
    for result, text in zip(behave(*("End." + test for test in endings)), endings.values()):
        check(result, "fail", text)


def test_failure_before_the_end():
    """What a test said before it crashed is not lost"""
    [result] = behave("End.AbortsAfterFailure")
    check(result, "fail", "before the end", "signal 6 (SIGABRT)")


def test_time_limit():
    """A test that runs into its time limit is killed, also where it ignores TERM or has stopped itself"""
    tests = ("End.LoopsForever", "End.IgnoresTermForever", "End.StopsItself")
    loops, ignores, stops = behave(*tests, options=SHORT)
    check(loops, "fail", "time limit of 4 s", "SIGTERM")
    assert "about to loop" in loops.text("stdout"), loops
    check(ignores, "fail", "time limit of 4 s", "SIGKILL")
    check(stops, "fail", "time limit of 4 s", "SIGKILL")


def test_stacks():
    """A test that runs into its time limit shows where its threads are, with a debugger at hand or without"""
    [result] = behave("End.LoopsForever", options=SHORT)
    text = result.text("stacks")
    assert ("loop_forever" in text) if shutil.which("gdb") else ("takes a gdb" in text), result
    with Server(programs["behaviours_googletest"], options=SHORT, env={"PATH": "/nowhere"}) as server:
        test = "behaviours_googletest.End.IgnoresTermForever"
        check(server.run(test).of(test), "fail", "Thread ", "takes a gdb", name="stacks")


def test_grace():
    """TERM comes first, and a test that then passes has failed all the same"""
    options = ("--timeout", "4", "--grace", "60")
    with Folder() as folder, Server(programs["faults"], options=(*options, *folder.options)) as server:
        result = server.run("faults.Heeds.Term").of("faults.Heeds.Term")
        check(result, "fail", "time limit of 4 s", "exited with status 0")
        assert folder.lines("heard") == ["TERM"]


def test_no_limit():
    """--timeout 0: no limit"""
    with Folder() as folder, Server(programs["faults"], options=("--timeout", "0", *folder.options)) as server:
        folder.make_gate("output")
        nonce = server.ask_run(["faults.Output.PrintsThenWaits"])
        server.until(lambda so_far: so_far.results, "a beginning")
        folder.open_gate("output")
        check(server.until_done(nonce).of("faults.Output.PrintsThenWaits"), "success")


def test_output_while_running():
    """Output arrives while its test runs"""
    with Folder() as folder, Server(programs["faults"], options=folder.options) as server:
        folder.make_gate("output")
        nonce = server.ask_run(["faults.Output.PrintsThenWaits"])

        def printed(so_far):
            results = [result for results in so_far.results.values() for result in results]
            return results and "before the gate\n" in results[0].text("stdout") \
                and "before the gate, too\n" in results[0].text("stderr")

        server.until(printed, "what the test prints first")
        assert not server.collector.statuses()["faults.Output.PrintsThenWaits"]
        folder.open_gate("output")
        result = server.until_done(nonce).of("faults.Output.PrintsThenWaits")
        assert result.text("stdout") == "before the gate\nbehind the gate\n", result
        assert result.status == "success"


def test_output():
    """Output is attached as it was written: text as text, the rest as octets"""
    out, err, both, line, packets, octets = behave(
        "Output.PrintsToStdout", "Output.PrintsToStderr", "Output.PrintsAndFails", "Output.PrintsNoNewline",
        "Output.PrintsPackets", "Output.PrintsNotUtf8")
    assert out.files == {"stdout": b"to stdout\n"}, out
    assert err.files == {"stderr": b"to stderr\n"}, err
    assert (both.text("stdout"), both.text("stderr")) == ("to stdout\n", "to stderr\n"), both
    assert line.files == {"stdout": b"no newline"}, line
    assert packets.status == "success" and b'{"msg": "Done"}' in b"".join(packets.files.values()), packets
    assert octets.status == "success", octets
    assert b"".join(octets.files.values()) == b"Gr\xfc\xdf" b"e \xb3\x00 \xff\n", octets
    assert octets.mimes == {"stdout": "text/plain; charset=\"utf8\"", "stdout.bin": "application/octet-stream"} or \
        octets.mimes == {"stdout": "text/plain;charset=utf8", "stdout.bin": "application/octet-stream"}, octets.mimes


def test_flood():
    """100 MB of output are cut at the limit, and said to be; the test passes"""
    out, err = behave("Output.Prints100Megabytes", "Output.Prints100MegabytesToStderr")
    for result, name in ((out, "stdout"), (err, "stderr")):
        content = result.files[name]
        check(result, "success", "[cut here: 83222784 bytes more were written; the output limit is 16777216 bytes]",
              name=name)
        assert len(content) < (16 << 20) + 200, len(content)
        for number in range(0, 160_000, 1000):
            assert content[number * 100:number * 100 + 7] == b"%07d" % number


def test_flood_without_limit():
    """--output-limit 0: all 100 MB of output arrive"""
    [result] = behave("Output.Prints100Megabytes", options=("--output-limit", "0"))
    content = result.files["stdout"]
    assert result.status == "success" and len(content) == 100_000_000, len(content)
    for number in range(0, 1_000_000, 1000):
        assert content[number * 100:number * 100 + 7] == b"%07d" % number


def test_endless_failures():
    """A test that fails for ever runs into its time limit, and its text is cut"""
    options = (*SHORT, "--output-limit", "1")
    with Server(programs["faults"], options=options) as server:
        result = server.run("faults.Output.FailsForever").of("faults.Output.FailsForever")
        check(result, "fail", "Failure\nFailed\nffff", "time limit of 4 s", "bytes more were attached")
        assert len(result.files["traceback"]) < 3 << 20


def test_endless_output():
    """A test that prints for ever runs into its time limit"""
    with Server(programs["faults"], options=SHORT) as server:
        result = server.run("faults.Output.PrintsForever").of("faults.Output.PrintsForever")
        check(result, "fail", "time limit of 4 s")
        check(result, "fail", "bytes more were written", name="stdout")


def test_descriptors():
    """A test that closes every descriptor never passes; noise to all of them hurts nobody; stdin is at its end"""
    closes, fails, noise, stdin = behave(
        "Process.ClosesAllDescriptors", "Process.ClosesAllDescriptorsAndFails", "Output.PrintsToAllDescriptors",
        "Output.ReadsStdinToItsEnd")
    check(closes, "fail", "before the test had a verdict")
    check(fails, "fail", "before the test had a verdict")
    assert noise.status in ("success", "fail") and b"noise" in b"".join(noise.files.values()), noise
    check(stdin, "success")


def test_isolation():
    """Globals, environment, directory and limits that a test changes are seen by no other"""
    for result in behave("Isolation.ChangesEverything", "Isolation.ChangesEverythingToo", jobs=1):
        check(result, "success")


def test_leftovers():
    """Processes that a test leaves behind are killed and named, and its verdict is what it was"""
    tests = ("Process.LeavesChild", "Process.LeavesChildAndFails", "Process.LeavesDaemon")
    for result, status in zip(behave(*tests), ("success", "fail", "success")):
        pid = result.text("properties").split('"pid":"')[1].split('"')[0]
        check(result, status)
        check(result, status, f"left process {pid} behind (killed): ", "behaviours_googletest", name="processes")
        assert not is_alive(int(pid)), result


def test_leftovers_of_all_kinds():
    """Daemons, with an environment or without, and a family of thirty are dead when their test's Done is there"""
    tests = ("Leaves.Daemon", "Leaves.DaemonAndFails", "Leaves.DaemonWithoutEnvironment", "Leaves.Family")
    with Folder() as folder, Server(programs["faults"], options=("--jobs", "1", *folder.options)) as server:
        for test, count in zip(tests, (1, 2, 3, 33)):
            result = server.run("faults." + test).of("faults." + test)
            assert result.status == ("fail" if test.endswith("Fails") else "success"), result
            pids = folder.lines("daemons")
            assert len(pids) == count, pids
            assert not [pid for pid in pids if is_alive(int(pid))], result
            check(result, result.status, "(killed): sleep 1000000" if test.startswith("Leaves.Daemon") else "faults",
                  name="processes")
        check(server.run("faults.Leaves.Nothing").of("faults.Leaves.Nothing"), "success")
        assert "processes" not in server.collector.of("faults.Leaves.Nothing").files


def test_leaks_fail():
    """--leaks fail: a test that passes and leaves a process behind fails"""
    leaves, passes = behave("Process.LeavesChild", "Process.StartsThreadsAndPasses", options=("--leaks", "fail"))
    check(leaves, "fail", "left 1 process(es) behind")
    check(passes, "success")


def test_leftovers_of_one_beside_another():
    """Killing what one test left does not touch what another, still running, has started"""
    with Folder() as folder, Server(programs["faults"], options=("--jobs", "4", *folder.options)) as server:
        folder.make_gate("daemon")
        waiting = server.ask_run(["faults.Leaves.DaemonAndWaits"])
        [waiting_daemon] = map(int, folder.await_lines("daemons"))
        server.run("faults.Leaves.Daemon")
        other = int(folder.lines("daemons")[1])
        assert not is_alive(other) and is_alive(waiting_daemon)
        folder.open_gate("daemon")
        check(server.until_done(waiting).of("faults.Leaves.DaemonAndWaits"), "success")
        assert not is_alive(waiting_daemon)


def test_helpers():
    """Processes that the program's own set-up started live until its tear-down, whatever tests leave behind"""
    with Server(programs["helped"], options=("--jobs", "3")) as server:
        server.run()
        server.run()
        failed = {test: status for test, status in server.collector.statuses().items() if status != "success"}
        assert not failed and len(server.collector.statuses()) == 22, failed
        left = [results[-1] for (test, _), results in server.collector.results.items() if ".Leaves" in test]
        assert all("left process" in result.text("processes") for result in left), left
        assert server.goodbye() == 0
        assert "tear-down" not in server.stderr(), server.stderr()


def test_helpers_of_a_suite():
    """The same for what a suite's set-up started"""
    tests = [f"faults.HelpedSuite.{test}" for test in ("One", "LeavesDaemon", "Two")]
    with Folder() as folder, Server(programs["faults"], options=("--jobs", "1", *folder.options)) as server:
        results = server.run(*tests)
        assert [results.of(test).status for test in tests] == ["success"] * 3, server.state()
        check(results.of(tests[1]), "success", "left process", name="processes")


def test_fork_returns():
    """Where a fork of a test returns from its body too, the test has one result"""
    returns, fails, crashes = behave("Process.ForkReturnsFromTheTest", "Process.ForkFailsAndReturns",
                                     "Process.ForkCrashes")
    for result in (returns, fails, crashes):
        check(result, "success")


def test_death_tests():
    """Death tests work, in both styles"""
    fast, safe, exits, not_dead = behave("DeathTest.DiesFast", "DeathTest.DiesThreadsafe", "DeathTest.ExitsThreadsafe",
                                         "DeathTest.DoesNotDie")
    for result in (fast, safe, exits):
        check(result, "success")
    check(not_dead, "fail", "failed to die")


def test_as_by_hand():
    """A test finds the limits, signals, descriptors and places that it would find in a program started by hand"""
    import resource
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(150, hard)

    def before():
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)

    options = ("--cwd", "/usr", "--env", "FAULTS_VARIABLE=a b=c", "--env", "HEARTH_TEST=nonsense")
    with Server(programs["faults"], options=options, preexec_fn=before) as server:
        results = server.run("faults.Prints.ItsLimits", "faults.Prints.ItsPlace")
        lines = results.of("faults.Prints.ItsLimits").text("stdout").splitlines()
        opened = [line for line in lines if line.startswith("open")]
        assert f"descriptors {wanted}" in lines, lines
        assert not [line for line in lines if line.startswith(("ignored", "blocked"))], lines
        assert opened[:3] == ["open 0", "open 1", "open 2"] and len(opened) == 4, lines  # and the report
        assert "group 1 session 1" in lines, lines
        place = results.of("faults.Prints.ItsPlace").text("stdout").splitlines()
        assert place == ["in /usr", "FAULTS_VARIABLE a b=c", "HEARTH_CHANNEL unset"], place


def test_low_limit():
    """A program that is allowed few descriptors can be served"""
    import resource
    limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with Folder() as folder, Server(programs["faults"], options=folder.options, preexec_fn=limit) as server:
        results = server.run("faults.Expensive.One", "faults.All/Quick.Passes/1")
        assert list(results.statuses().values()) == ["success", "success"], server.state()


def test_many_programs():
    """Seventy programs at once, so that the server's own descriptors pass every number that a program's could have"""
    named = [f"p{number}={programs['helped']}" for number in range(70)]
    with Server(*named, options=("--jobs", "4")) as server:
        results = server.run(*(f"p{number}.All/Helped.ByBoth/{number % 20}" for number in range(70)))
        assert list(results.statuses().values()) == ["success"] * 70, server.state()
        assert server.goodbye() == 0


if __name__ == "__main__":
    sys.exit(e2e.main())
