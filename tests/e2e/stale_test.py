#!/usr/bin/python3
"""What is built anew while it is served: the next List or Run is answered by the new build, and by no other."""

import os
import shutil
import sys

import e2e
from e2e import Folder, programs
from hearth_client import Server, await_that

ONE = sorted(f"it.{test}" for test in ("Build.Says", "Build.IsOne", "Build.Waits", "OnlyIn.One"))
TWO = sorted(test.replace("OnlyIn.One", "OnlyIn.Two") for test in ONE)


def install(source, target):
    """As linkers and installers do: another file takes the place of the one that is there."""
    shutil.copy(programs.get(source, source), target + ".new")
    os.rename(target + ".new", target)


class Place(Folder):
    """A folder with a program in it that is called `it`, in the build `one`."""

    def __init__(self):
        super().__init__()
        self.program = os.path.join(self.path, "it")
        install("relinked_one", self.program)

    def library(self, name):
        """The path of a library there, in the build `one`."""
        path = os.path.join(self.path, name)
        install(library("one"), path)
        return path

    def serve(self, *options, command=None, **environment):
        variables = [option for name, value in environment.items() for option in ("--env", f"{name}={value}")]
        return Server(command or self.program, options=(*self.options, *variables, *options))


def library(build):
    return programs[f"libadvice_{build}.so"]


def says(server, test="it.Build.Says"):
    """What the program that is served says of itself."""
    nonce = server.ask_run([test])
    results = server.until_done(nonce).results
    result = [one for (known, _), ones in results.items() if known == test for one in ones][-1]
    assert result.status == "success", f"{result}\n{server.state()}"
    return result.text("stdout").strip()


def latest(server, test):
    server.until_done(server.ask_run([test]))
    return [one for (known, _), ones in server.collector.results.items() if known == test for one in ones][-1]


def check_replaced(server):
    """The new build is listed and run, and the old one's process has gone."""
    assert sorted(server.list()) == TWO, server.state()
    assert says(server) == "two", server.state()
    assert latest(server, "it.Build.IsOne").status == "fail", server.state()
    assert latest(server, "it.OnlyIn.One").status == "fail", server.state()
    assert "it is started afresh" in server.stderr() and "it has changed" in server.stderr(), server.stderr()
    await_that(lambda: len(server.zygote_pids()) == 1, "the end of the old build's process")


def test_relinked():
    """A program that is replaced between two Runs, and then back again"""
    with Place() as place, place.serve() as server:
        assert sorted(server.list()) == ONE
        assert says(server) == "one"
        install("relinked_two", place.program)
        check_replaced(server)
        install("relinked_one", place.program)
        assert says(server) == "one"
        assert sorted(server.list()) == ONE
        assert server.goodbye() == 0


def test_removed_and_written():
    """A program that is removed, and written in its place as a linker does"""
    with Place() as place, place.serve() as server:
        assert says(server) == "one"
        os.unlink(place.program)
        shutil.copy(programs["relinked_two"], place.program)
        check_replaced(server)


def test_untouched():
    """What nobody touches is not started again, and what is only touched is served"""
    with Place() as place, place.serve() as server:
        assert says(server) == "one"
        first = server.zygote_pids()
        for _ in range(3):
            assert says(server) == "one"
        assert server.zygote_pids() == first, server.stderr()
        os.utime(place.program)
        assert says(server) == "one"


def test_link():
    """A program behind a symbolic link that is turned to another build"""
    with Place() as place:
        link = os.path.join(place.path, "link")
        os.symlink(place.program, link)
        with place.serve(command=f"it={link}") as server:
            assert says(server) == "one"
            os.symlink(programs["relinked_two"], link + ".new")
            os.rename(link + ".new", link)
            assert sorted(server.list()) == TWO
            assert says(server) == "two"


def test_library():
    """A library that the program has loaded: replaced, and removed and put back"""
    with Place() as place:
        path = place.library("libadvice.so")
        with place.serve(RELINKED_LIBRARY=path) as server:
            assert says(server) == "one"
            install(library("two"), path)
            assert says(server) == "two"
            os.unlink(path)
            result = latest(server, "it.Build.Says")
            assert result.status == "fail" and "libadvice.so" in result.text("traceback"), result
            install(library("one"), path)
            assert says(server) == "one", server.state()


def test_library_in_place():
    """A library that is written in place, which no kernel refuses"""
    with Place() as place:
        path = place.library("libadvice.so")
        with place.serve(RELINKED_LIBRARY=path) as server:
            assert says(server) == "one"
            with open(library("two"), "rb") as source, open(path, "r+b") as target:
                target.write(source.read())
                target.truncate()
            assert says(server) == "two", server.state()


def test_library_link():
    """A library's link of its soname that is turned to another version"""
    with Place() as place:
        for build in ("one", "two"):
            install(library(build), os.path.join(place.path, f"libadvice.so.1.{build}"))
        link = os.path.join(place.path, "libadvice.so.1")
        os.symlink("libadvice.so.1.one", link)
        with place.serve(RELINKED_LIBRARY=link) as server:
            assert says(server) == "one"
            os.symlink("libadvice.so.1.two", link + ".new")
            os.rename(link + ".new", link)
            assert says(server) == "two", server.state()


def check_failed(server, *causes):
    """The program is its `.load`, whose failure has one of the causes."""
    assert server.list() == ["it.load"], server.state()
    for test in ("it.load", "it.Build.Says"):
        result = latest(server, test)
        assert result.status == "fail" and not result.started, result
        assert any(cause in result.text("traceback") for cause in causes), result


def test_no_longer_starts():
    """A program that is deleted, crashes as it loads, is no program, and is built right at last"""
    with Place() as place, place.serve() as server:
        assert sorted(server.list()) == ONE
        os.unlink(place.program)
        check_failed(server, "No such file or directory")
        install("dies_at_load", place.program)
        check_failed(server, "signal")
        with open(place.program + ".new", "w", encoding="ascii") as file:
            file.write("half a program\n")
        os.chmod(place.program + ".new", 0o755)
        os.rename(place.program + ".new", place.program)
        check_failed(server, "Exec format error")
        install("relinked_two", place.program)
        assert sorted(server.list()) == TWO
        assert says(server) == "two"
        assert server.goodbye() == 0


def test_written_while_asked():
    """A program that is still open for writing cannot be started, and is served once it is whole"""
    with Place() as place, place.serve() as server:
        assert says(server) == "one"
        os.unlink(place.program)
        with open(place.program, "wb") as target, open(programs["relinked_two"], "rb") as source:
            os.fchmod(target.fileno(), 0o755)
            content = source.read()
            target.write(content[:len(content) // 2])
            target.flush()
            check_failed(server, "Text file busy", "Permission denied", "Exec format error")
            target.write(content[len(content) // 2:])
        assert says(server) == "two", server.state()


def test_old_runs_go_on():
    """Tests of the old build that run go on to their own verdicts; the new one's run beside them, no id twice"""
    with Place() as place, place.serve("--jobs", "4") as server:
        place.make_gate("wait")
        old = server.ask_run(["it.Build.Waits"])
        place.await_lines("waits")
        install("relinked_two", place.program)
        assert says(server) == "two"
        assert sorted(server.list()) == TWO
        new = server.ask_run(["it.Build.Waits", "it.OnlyIn.Two"])
        server.until(lambda so_far: so_far.statuses().get("it.OnlyIn.Two"), "the new build's test")
        assert place.lines("waits") == ["begin one"]
        place.open_gate("wait", 2)
        results = server.until_done(old, new)
        assert place.lines("waits") == ["begin one", "end one", "begin two", "end two"]
        waited = [one for (test, _), ones in results.results.items() if test == "it.Build.Waits" for one in ones]
        assert [one.status for one in waited] == ["success", "fail"], waited
        await_that(lambda: len(server.zygote_pids()) == 1, "the end of the old build's process")


def test_middle_of_a_run():
    """In the middle of a Run a replaced program is not touched: what it has queued is the old build's"""
    with Place() as place, place.serve("--jobs", "1") as server:
        place.make_gate("wait")
        run = server.ask_run(["it.Build.Waits", "it.OnlyIn.One", "it.Build.IsOne"])
        place.await_lines("waits")
        install("relinked_two", place.program)
        place.open_gate("wait")
        assert set(server.until_done(run).statuses().values()) == {"success"}, server.state()
        check_replaced(server)


def test_while_loading():
    """A program that is replaced while it loads is loaded once more before the answer"""
    with Place() as place:
        place.make_gate("load")
        with place.serve(RELINKED_GATE="1") as server:
            place.await_lines("loads")
            listing = server.ask_list()
            install("relinked_two", place.program)
            place.open_gate("load", 10)
            server.until_done(listing)
            (ids,) = server.collector.listed.values()
            assert sorted(ids) == TWO, server.state()
            assert place.lines("loads")[:2] == ["one", "two"]


def test_changes_whenever_loaded():
    """A program that writes to a file among its arguments as it loads is served all the same"""
    with Place() as place:
        diary = os.path.join(place.path, "diary")
        with open(diary, "w", encoding="ascii"):
            pass
        launcher = os.path.join(place.path, "launcher")
        with open(launcher, "w", encoding="ascii") as file:
            file.write(f"echo again >> \"$1\"\nexec {place.program}\n")
        with place.serve(command=f"it=/bin/sh {launcher} {diary}") as server:
            assert says(server) == "one"
            assert "is served although" in server.stderr() and "diary has changed" in server.stderr()
            assert says(server) == "one"


def test_script():
    """A script among the arguments is a part of the program"""
    with Place() as place:
        launcher = os.path.join(place.path, "launcher")
        for build in ("one", "two"):
            with open(launcher + ".new", "w", encoding="ascii") as file:
                file.write(f"exec {programs['relinked_' + build]}\n")
            if build == "one":
                os.rename(launcher + ".new", launcher)
        with place.serve("--cwd", place.path, command="it=/bin/sh launcher") as server:
            assert says(server) == "one"
            os.rename(launcher + ".new", launcher)
            assert says(server) == "two"


def test_not_forked():
    """A program that is started anew for each test, and one whose tests share a process"""
    for options, environment in (((), {"RELINKED_THREAD": "1"}), (("--isolation=none",), {}),
                                 (("--isolation=none",), {"RELINKED_THREAD": "1"})):
        with Place() as place, place.serve(*options, **environment) as server:
            assert says(server) == "one"
            install("relinked_two", place.program)
            assert sorted(server.list()) == TWO
            assert says(server) == "two", server.state()


def test_set_up_that_failed():
    """A global set-up that failed is tried again, once what it lacked may be there"""
    with Place() as place:
        needed = os.path.join(place.path, "needed")
        with place.serve(RELINKED_NEEDS=needed) as server:
            server.list()
            assert latest(server, "it.Build.Says").status == "fail"
            with open(needed, "w", encoding="ascii"):
                pass
            # At once, but for a machine on which that takes more than a second.
            await_that(lambda: latest(server, "it.Build.Says").status == "success", "the set-up's success")


def test_other_programs():
    """A Run of another program's tests neither waits for the one that has changed nor starts it again"""
    with Place() as place, Server(place.program, programs["helped"], options=place.options) as server:
        server.list()
        install("hangs_at_load", place.program)
        assert len([test for test in server.list(["helped.Anything.Else"])]) == 0
        assert "started afresh" not in server.stderr()


if __name__ == "__main__":
    sys.exit(e2e.main())
