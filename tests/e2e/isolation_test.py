#!/usr/bin/python3
"""--isolation=none: a program's tests of one Run in one process, in the order given."""

import os
import signal
import subprocess
import sys

import e2e
from e2e import Folder, programs
from hearth_client import Server, await_that, is_alive, state_of

NONE = ("--isolation", "none")
FRAMEWORKS = ["googletest", "doctest", "cppunit"]


def name_of(framework):
    return f"sequence_{framework}"


def server(framework, *options, folder=None, isolation=NONE, **more):
    folder_options = folder.options if folder else ()
    return Server(programs[name_of(framework)], options=(*isolation, *options, *folder_options), **more)


def ids(framework, *names):
    return [f"{name_of(framework)}.{name}" for name in names]


def place(result):
    """The pid and the ordinal in the process that a test has printed."""
    pid, ordinal = result.text("stdout").split()[:2]
    return int(pid), int(ordinal)


def statuses(framework, results, *names):
    return [results.of(test_id).status for test_id in ids(framework, *names)]


def started_order(results):
    return [packet.id for packet in results.packets if packet.status == "inprogress"]


def test_order_matters():
    """A test fails only behind the one that breaks it, in each framework"""
    for framework in FRAMEWORKS:
        first, second, third = ids(framework, "State.First", "State.Second", "State.Third")
        with server(framework) as shared:
            results = shared.run(third, first, second)
            assert statuses(framework, results, "State.Third", "State.First", "State.Second") == \
                ["success", "success", "fail"], shared.state()
            assert started_order(results) == [third, first, second], shared.state()
            places = [place(results.of(test_id)) for test_id in (third, first, second)]
            assert [ordinal for _, ordinal in places] == [1, 2, 3], places
            assert len({pid for pid, _ in places}) == 1, places
        with server(framework) as shared:
            results = shared.run(second, first, third)
            assert set(results.statuses().values()) == {"success"}, shared.state()
            assert started_order(results) == [second, first, third], shared.state()
        with server(framework, isolation=()) as isolated:
            results = isolated.run(first, second, third)
            assert set(results.statuses().values()) == {"success"}, isolated.state()


def test_new_process_for_each_run():
    """A Run knows nothing of the one before it"""
    for framework in FRAMEWORKS:
        with server(framework) as shared:
            shared.run(*ids(framework, "State.First"))
            results = shared.run(*ids(framework, "State.Second"))
            assert statuses(framework, results, "State.First", "State.Second") == ["success", "success"]
            places = [place(results.of(test_id)) for test_id in ids(framework, "State.First", "State.Second")]
            assert places[0][0] != places[1][0] and places[1][1] == 1, places


def test_all_in_listing_order():
    """A Run of all tests keeps the order of the list; every id has its result"""
    for framework in FRAMEWORKS:
        with Folder() as folder, server(framework, "--timeout", "5", folder=folder) as shared:
            folder.make_gate("gate")
            folder.make_gate("helper")
            folder.open_gate("gate", 10)
            listed = shared.list()
            results = shared.until_done(shared.ask_run())
            ran = [test_id for test_id in results.statuses() if not test_id.endswith(".teardown")]
            assert ran == listed, (ran, listed)
            assert None not in results.statuses().values(), shared.state()


def test_repeated_id():
    """An id that is given several times runs so often, in the same process"""
    for framework in FRAMEWORKS:
        (third,) = ids(framework, "State.Third")
        with server(framework) as shared:
            results = shared.until_done(shared.ask_run([third] * 12))
            (runs,) = results.results.values()
            assert [result.status for result in runs] == ["success"] * 12, shared.state()
            assert [place(result)[1] for result in runs] == list(range(1, 13)), shared.state()
    (fails,) = ids("googletest", "State.Fails")
    with server("googletest") as shared:
        results = shared.until_done(shared.ask_run([fails] * 3))
        (runs,) = results.results.values()
        assert [result.text("traceback").count("on purpose") for result in runs] == [1, 1, 1], shared.state()


def test_crash_in_the_middle():
    """A test that ends the process has failed; the tests behind it run in a fresh one"""
    for framework in FRAMEWORKS:
        for end, how in (("End.Aborts", "SIGABRT"), ("End.Exits", "exited with status 0")):
            names = ["State.First", end, "State.Second", "State.Third"]
            with server(framework) as shared:
                results = shared.run(*ids(framework, *names))
                assert statuses(framework, results, *names) == ["success", "fail", "success", "success"], \
                    shared.state()
                ended = results.of(ids(framework, end)[0])
                assert how in ended.text("traceback"), ended
                places = [place(results.of(test_id)) for test_id in ids(framework, names[0], *names[2:])]
                assert [ordinal for _, ordinal in places] == [1, 1, 2], places
                assert places[0][0] != places[1][0] == places[2][0], places
                assert "fresh process" in shared.stderr(), shared.stderr()


def test_time_limit_in_the_middle():
    """A test that does not end has failed; the tests behind it run in a fresh process"""
    for framework in FRAMEWORKS:
        names = ["State.First", "End.Hangs", "State.Second"]
        with server(framework, "--timeout", "3", "--grace", "0.1") as shared:
            results = shared.run(*ids(framework, *names))
            assert statuses(framework, results, *names) == ["success", "fail", "success"], shared.state()
            assert "time limit of 3 s" in results.of(ids(framework, "End.Hangs")[0]).text("traceback")


def test_hangs_on_term():
    """The grace period counts in a shared process too"""
    names = ["State.First", "End.HangsOnTerm", "State.Second"]
    with server("googletest", "--timeout", "2", "--grace", "0.1") as shared:
        results = shared.run(*ids("googletest", *names))
        assert statuses("googletest", results, *names) == ["success", "fail", "success"], shared.state()
        assert "SIGKILL" in results.of(ids("googletest", "End.HangsOnTerm")[0]).text("traceback")


def test_lost_channel():
    """A test that closes its process's channel has failed, and says so"""
    names = ["End.ClosesEverything", "State.Third"]
    with server("googletest") as shared:
        results = shared.run(*ids("googletest", *names))
        assert statuses("googletest", results, *names) == ["fail", "success"], shared.state()
        closes = results.of(ids("googletest", "End.ClosesEverything")[0])
        assert "channel to the server" in closes.text("traceback") + closes.text("stderr"), closes


def test_forks_of_tests():
    """Processes that a test forks, death tests among them, end without a word of theirs"""
    names = ["State.First", "End.DeathTest", "End.ForkReturns", "State.Third"]
    with server("googletest") as shared:
        results = shared.run(*ids("googletest", *names))
        assert statuses("googletest", results, *names) == ["success"] * 4, shared.state()
        assert place(results.of(ids("googletest", "State.Third")[0]))[1] == 2, shared.state()


def test_concurrent_runs():
    """Two Runs at once have a process each, and do not see each other"""
    with Folder() as folder, server("googletest", "--jobs", "4", folder=folder) as shared:
        folder.make_gate("gate")
        first, second, third, waits = ids("googletest", "State.First", "State.Second", "State.Third", "Gate.Waits")
        one = shared.ask_run([first, waits, second])
        folder.await_lines("waiting")
        other = shared.ask_run([third, second])
        results = shared.until_done(other)
        assert results.of(second).status == "success", shared.state()
        folder.open_gate("gate")
        results = shared.until_done(one)
        runs = {result.route: result.status for key, found in results.results.items() for result in found
                if key[0] == second}
        assert sorted(runs.values()) == ["fail", "success"], (runs, shared.state())


def test_programs_run_beside_each_other():
    """Programs do not wait for each other as long as there are jobs"""
    with Folder() as folder:
        folder.make_gate("gate")
        options = (*NONE, "--jobs", "2", *folder.options)
        with Server(programs[name_of("googletest")], programs[name_of("doctest")], options=options) as shared:
            waits, second = ids("googletest", "Gate.Waits", "State.Second")
            run = shared.ask_run([waits, second, *ids("doctest", "State.Third")])
            shared.until(lambda so_far: so_far.statuses().get(ids("doctest", "State.Third")[0]), "the other program")
            assert second not in shared.collector.statuses(), "a program's tests run one at a time"
            folder.open_gate("gate")
            assert set(shared.until_done(run).statuses().values()) == {"success"}, shared.state()


def test_suites():
    """A suite is set up and torn down around each group of its tests, as by hand"""
    with Folder() as folder, server("googletest", folder=folder) as shared:
        names = ["Suite.Two", "Suite.One", "State.Third", "Suite.One"]
        results = shared.until_done(shared.ask_run(ids("googletest", *names)))
        assert set(results.statuses().values()) == {"success"}, shared.state()
        assert folder.lines("suite") == ["set-up", "Two", "One", "tear-down", "set-up", "One", "tear-down"]
        third = results.of(ids("googletest", "State.Third")[0])
        assert len(third.text("stdout").splitlines()) == 1, third
        assert place(third)[1] == 3, third
    with Folder() as folder, server("cppunit", folder=folder) as shared:
        names = ["Decorated.Two", "Decorated.One", "State.Third", "Decorated.One"]
        results = shared.until_done(shared.ask_run(ids("cppunit", *names)))
        assert set(results.statuses().values()) == {"success"}, shared.state()
        assert folder.lines("suite") == ["set-up", "Two", "One", "tear-down", "set-up", "One", "tear-down"]


def test_failing_suites():
    """Set-up and tear-down that fail are told as ever"""
    with server("googletest") as shared:
        results = shared.run(*ids("googletest", "SetUpFails.One", "SetUpFails.Two", "TearDownFails.One",
                                  "TearDownFails.Two", "TearDownAborts.One", "State.Third"))
        assert statuses("googletest", results, "SetUpFails.One", "SetUpFails.Two", "TearDownFails.One",
                        "TearDownFails.Two", "TearDownFails.teardown", "TearDownAborts.One",
                        "TearDownAborts.teardown", "State.Third") == \
            ["fail", "fail", "success", "success", "fail", "success", "fail", "success"], shared.state()
        for name, said in (("SetUpFails.One", "no set-up"), ("SetUpFails.Two", "no set-up"),
                           ("TearDownFails.teardown", "no tear-down"), ("TearDownAborts.teardown", "SIGABRT")):
            result = results.of(ids("googletest", name)[0])
            assert said in result.text("traceback"), result


def test_tear_down_behind_the_last():
    """The tear-down behind a Run's last test is told before its Done"""
    for name, said in (("TearDownFails", "no tear-down"), ("TearDownAborts", "SIGABRT")):
        with server("googletest") as shared:
            results = shared.run(*ids("googletest", f"{name}.One"))
            assert said in results.of(ids("googletest", f"{name}.teardown")[0]).text("traceback"), shared.state()


def test_what_a_test_says_is_its_own():
    """Properties, texts and output of one test are no other's"""
    with server("googletest") as shared:
        results = shared.run(*ids("googletest", "State.RecordsFirst", "State.RecordsSecond", "State.Fails",
                                  "State.Skips", "State.Third"))
        first, second, fails, skips, third = (
            results.of(test_id) for test_id in
            ids("googletest", "State.RecordsFirst", "State.RecordsSecond", "State.Fails", "State.Skips", "State.Third"))
        assert first.text("properties") == '{"first":"1"}' and second.text("properties") == '{"second":"2"}'
        assert "on purpose" in fails.text("traceback") and fails.status == "fail"
        assert "not today" in skips.text("reason") and skips.status == "skip"
        assert set(third.files) == {"stdout"}, third
    with server("doctest") as shared:
        results = shared.run(*ids("doctest", "State.Fails", "State.Subcases", "State.Third", "State.Listener"))
        assert "on purpose" not in results.of(ids("doctest", "State.Subcases")[0]).text("traceback")
        assert "1 == 2" in results.of(ids("doctest", "State.Subcases")[0]).text("traceback")
        assert set(results.of(ids("doctest", "State.Third")[0]).files) == {"stdout"}, shared.state()


def test_one_run_for_listeners():
    """doctest's listeners see one run"""
    with server("doctest") as shared:
        results = shared.run(*ids("doctest", "State.Third", "State.Listener"))
        assert set(results.statuses().values()) == {"success"}, shared.state()


def test_repeated_tests():
    """CppUnit's RepeatedTest repeats each test, which passes if it does every time"""
    with Folder() as folder, server("cppunit", folder=folder) as shared:
        results = shared.run(*ids("cppunit", "Repeated.FailsTheThirdTime", "Repeated.Passes"))
        assert statuses("cppunit", results, "Repeated.FailsTheThirdTime", "Repeated.Passes") == ["fail", "success"]
        assert folder.lines("repeated") == ["Passes"] * 3


def test_helpers_live():
    """What a set-up starts lives on from test to test, and not behind the Run"""
    with Folder() as folder, server("googletest", folder=folder) as shared:
        folder.make_gate("gate")
        folder.make_gate("helper")
        run = shared.ask_run(ids("googletest", "Helper.IsThere", "Helper.IsStillThere", "State.Third"))
        folder.await_lines("asking")
        folder.open_gate("helper")
        folder.await_lines("helped")
        folder.open_gate("gate")
        results = shared.until_done(run)
        assert set(results.statuses().values()) == {"success"}, shared.state()
        assert "the helper's word" in results.of(ids("googletest", "Helper.IsStillThere")[0]).text("stdout")
        assert "left 1 process(es) behind" in shared.stderr(), shared.stderr()


def test_hidden_test():
    """Disabled tests run when they are asked for"""
    with server("googletest") as shared:
        results = shared.run(*ids("googletest", "State.DISABLED_Hidden", "State.Third"))
        assert set(results.statuses().values()) == {"success"}, shared.state()


def test_program_with_threads():
    """A program that cannot be forked is started once for the Run"""
    name = "threads_at_start"
    with Server(programs[name], options=NONE) as shared:
        results = shared.run(*(f"{name}.Threads.{test}" for test in ("Pass", "PassToo", "Abort", "Fail")))
        assert list(results.statuses().values()) == ["success", "fail", "fail", "fail"], shared.state()
        assert "SIGABRT" in results.of(f"{name}.Threads.Abort").text("traceback")
    with Server(programs[name], options=NONE) as shared:
        results = shared.run(f"{name}.Threads.PassToo", f"{name}.Threads.Fail")
        assert list(results.statuses().values()) == ["success", "fail"], shared.state()


def test_program_that_cannot_be_served():
    """Its load test fails as ever"""
    with Server(programs["dies_at_load"], options=NONE) as shared:
        results = shared.run("dies_at_load.load")
        assert list(results.statuses().values()) == ["fail"], shared.state()


OLD_ADAPTER = """#!/usr/bin/python3
# The zygote's end of a worker channel. It says Hello with the capabilities given, one test, and Ready, and answers
# nothing more.
import os, socket
channel = socket.socket(fileno=int(os.environ["HEARTH_CHANNEL"]))
def field(number, content):
    return bytes([number << 3 | 2, len(content)]) + content
channel.send(field(1, b"\\x08\\x01\\x10\\x01" + field(4, b"Old") + CAPABILITIES))
channel.recv(65536)
channel.send(field(2, field(1, field(1, b"Some.test"))))
channel.send(field(3, b""))
while channel.recv(65536):
    pass
"""


def program_of(folder, name, capabilities):
    path = os.path.join(folder.path, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(OLD_ADAPTER.replace("CAPABILITIES", capabilities))
    os.chmod(path, 0o755)
    return path


def test_old_adapter():
    """A program whose adapter knows nothing of it is listed, and its tests fail with the reason"""
    with Folder() as folder, Server(program_of(folder, "old", "b''"), options=NONE) as shared:
        assert shared.list() == ["old.Some.test"], shared.state()
        results = shared.run()
        assert "too old for --isolation=none" in results.of("old.Some.test").text("traceback"), shared.state()


def test_silent_adapter():
    """A program that does not answer fails its test"""
    with Folder() as folder:
        options = (*NONE, "--load-timeout", "6")
        with Server(program_of(folder, "silent", "b'\\x30\\x01'"), options=options) as shared:
            results = shared.run("silent.Some.test")
            assert results.of("silent.Some.test").status == "fail", shared.state()
            assert "did not answer" in shared.stderr() or "warm process" in \
                results.of("silent.Some.test").text("traceback"), shared.state()


def test_lost_warm_process():
    """Killing the warm process runs what ran in its fork once more"""
    with Folder() as folder, server("googletest", folder=folder) as shared:
        folder.make_gate("gate")
        names = ["State.First", "Gate.Waits", "State.Second"]
        run = shared.ask_run(ids("googletest", *names))
        (first,) = folder.await_lines("waiting")
        (zygote,) = shared.zygote_pids()
        os.kill(zygote, signal.SIGKILL)
        folder.await_lines("waiting", 2)
        # While it dies it could still pass the gate in the other one's place.
        await_that(lambda: not is_alive(int(first)), "the end of the first process")
        folder.open_gate("gate")
        results = shared.until_done(run)
        assert statuses("googletest", results, *names) == ["success", "success", "success"], shared.state()
        assert "run once more" in results.of(ids("googletest", "Gate.Waits")[0]).text("rerun"), shared.state()


def test_goodbye_in_the_middle():
    """Goodbye while a test runs: the process ends with the session"""
    with Folder() as folder, server("googletest", folder=folder) as shared:
        folder.make_gate("gate")
        shared.ask_run(ids("googletest", "Gate.Waits", "State.Third"))
        (pid,) = folder.await_lines("waiting")
        assert shared.goodbye() == 0
        await_that(lambda: state_of(int(pid)) is None, "the end of the shared process")


def test_environment_variable():
    """HEARTH_ISOLATION is the option's default"""
    first, second = ids("googletest", "State.First", "State.Second")
    with server("googletest", isolation=(), env={"HEARTH_ISOLATION": "none"}) as shared:
        assert shared.run(first, second).of(second).status == "fail", shared.state()
    with server("googletest", isolation=("--isolation", "process"), env={"HEARTH_ISOLATION": "none"}) as isolated:
        assert isolated.run(first, second).of(second).status == "success", isolated.state()
    wrong = subprocess.run([Server.hearth, "serve", programs[name_of("googletest")]], capture_output=True, check=False,
                           env={**os.environ, "HEARTH_ISOLATION": "some"}, stdin=subprocess.DEVNULL, timeout=300)
    assert wrong.returncode == 2 and b"--isolation" in wrong.stderr, wrong


if __name__ == "__main__":
    sys.exit(e2e.main())
