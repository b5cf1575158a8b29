#!/usr/bin/python3
"""How a program ends: `hearth check --compare` beside the plain program, `hearth run`, and every id that a run reports, again."""

import os
import shutil
import subprocess
import sys

import e2e
from e2e import Folder, programs
from hearth_client import Server

# What the program is told: the id that fails, how it ends by itself.
BAD_ENDS = {
    "environment": ("ends.exit", "exited with status 1"),
    "exit": ("ends.exit", "exited with status 3"),
    "abort": ("ends.exit", "SIGABRT"),
    "suite": ("ends.Suite.teardown", "exited with status 1"),
}


def hearth(folder, command, *arguments, status=0):
    done = subprocess.run([Server.hearth, command, *arguments], capture_output=True, text=True, timeout=300,
                          cwd=folder.path, env={**os.environ, "FAULTS_DIR": folder.path})
    assert done.returncode == status, (command, arguments, done)
    return done.stdout + done.stderr


def ends(way):
    return f"ends='{programs['ends']}' {way}"


def test_compare():
    """check --compare: a program that refuses GoogleTest's flags ends through Hearth as by itself, well or badly"""
    with Folder() as folder:
        text = hearth(folder, "check", "--compare", ends("well"))
        assert "exited with status 0" in text and "3 verdicts the same" in text, text
        text = hearth(folder, "check", "--compare", ends("pipe"))  # by itself it is told by SIGPIPE, as by hand
        assert "exited with status 0" in text and "3 verdicts the same" in text, text
        text = hearth(folder, "check", "--compare", ends("fails"))
        assert "exited with status 1" in text and "3 verdicts the same" in text, text
        for way, (_, how) in BAD_ENDS.items():
            text = hearth(folder, "check", "--compare", ends(way))
            assert how in text and "4 verdicts the same" in text, (way, text)


def test_compare_finds():
    """check --compare: an exit status that is there by itself only is a difference, unless it is expected"""
    with Folder() as folder:
        text = hearth(folder, "check", "--compare", ends("differs"), status=1)
        assert "ends.exit: success through Hearth, fail by itself" in text and "exited with status 4" in text, text
        expected = os.path.join(folder.path, "expected")
        with open(expected, "w", encoding="utf-8") as file:
            file.write("ends.exit -- it is told to\n")
        text = hearth(folder, "check", "--compare", "--expected", expected, ends("differs"))
        assert "1 different as expected" in text, text


def test_run():
    """A bad end fails the run, however many servers and Runs there are, and nobody is said to have not asked for it"""
    for way, (test, _) in BAD_ENDS.items():
        with Folder() as folder:
            for options in (), ("--servers", "2"), ("--retries", "1"), ("--repeat", "2"), ("--isolated",), ("--isolation=none",):
                text = hearth(folder, "run", *options, "--junit", "junit.xml", ends(way), status=1)
                assert f"FAIL   {test}" in text and "not asked for" not in text, (way, options, text)
                with open(os.path.join(folder.path, "junit.xml"), encoding="utf-8") as file:
                    assert f'name="{test.rpartition(".")[2]}"' in file.read(), (way, options)


def histories():
    yield "hearth's own", None
    for tool in "testr", "stestr":
        if shutil.which(tool):
            yield tool, [tool, "init"]


def test_failing():
    """Every id that a run reports is run again by --failing, --load-list and its name, and is cleared when it is well"""
    for name, init in histories():
        for way, test in [*((way, test) for way, (test, _) in BAD_ENDS.items()), ("load", "ends.load")]:
            with Folder() as folder:
                if init:
                    with open(os.path.join(folder.path, ".stestr.conf"), "w", encoding="utf-8") as file:
                        file.write("[DEFAULT]\ntest_path=.\n")
                    subprocess.run(init, cwd=folder.path, check=True, capture_output=True)
                here = (name, way)
                failing = lambda: hearth(folder, "failing", status=1 if broken else 0).split()
                broken = True
                hearth(folder, "run", ends(way), status=1)
                assert failing() == [test], (here, failing())
                ids = os.path.join(folder.path, "ids")
                with open(ids, "w", encoding="utf-8") as file:
                    file.write(test + "\n")
                for again in ("--failing", ends(way)), ("--load-list", ids, ends(way)), (ends(way), "--", f"^{test}$"):
                    text = hearth(folder, "run", *again, status=1)
                    assert "0 passed, 1 failed" in text, (here, again, text)
                    assert failing() == [test], (here, failing())
                with open(os.path.join(folder.path, "well"), "w", encoding="utf-8"):
                    broken = False
                text = hearth(folder, "run", "--failing", ends(way))
                assert "1 passed" in text, (here, text)
                assert failing() == [], (here, failing())
                text = hearth(folder, "run", "--failing", ends(way), status=4)
                assert "no test failed the last time" in text, (here, text)


def test_gone():
    """What failed and is not there any more is told from nothing having failed"""
    with Folder() as folder:
        hearth(folder, "run", ends("fails"), status=1)
        text = hearth(folder, "run", "--failing", f"other='{programs['ends']}'", status=4)
        assert "no test any more of 1 id" in text, text


if __name__ == "__main__":
    sys.exit(e2e.main())
