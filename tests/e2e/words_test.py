#!/usr/bin/python3
"""What a program prints outside its tests, and what its tests print by descriptors that it has kept."""

import os
import subprocess
import sys
import tempfile

import e2e
from e2e import programs
from hearth_client import Server, await_that

EVERYWHERE = {"stdout": "by the kept stdout\nby the log\n", "stderr": "by the kept stderr\nby a child\n"}
MODES = ({}, {"SPEAKS_THREADS": "1"})
OPTIONS = ((), ("--isolation=none",))


def speaks(*tests, options=(), env=None):
    server = Server(programs["speaks"], options=options, env=env or {})
    with server:
        results = server.run(*("speaks." + test for test in tests))
        assert server.goodbye() == 0
    return server, {test: results.of("speaks." + test) for test in tests}


def test_kept_descriptors():
    """What a test writes to descriptors that were duplicated before it is in its output, in every mode"""
    for env in MODES:
        for options in OPTIONS:
            server, results = speaks("Kept.Passes", "Kept.Fails", "SetUpSpeaks.Passes", "SetUpSpeaks.Fails", env=env,
                                     options=options)
            for test, result in results.items():
                where = f"{env} {options} {server.state()}"
                assert result.status == ("fail" if "Fails" in test else "success"), where
                own = "by the suite's\n" if "SetUp" in test else ""
                assert EVERYWHERE["stdout"] + own in result.text("stdout"), where
                assert EVERYWHERE["stderr"] in result.text("stderr"), where


def test_words_before():
    """What the program and the suite printed before a test stands with its failure, and with no pass"""
    for env in MODES:
        for options in OPTIONS:
            server, results = speaks("Kept.Passes", "Kept.Fails", "SetUpSpeaks.Fails", env=env, options=options)
            assert results["Kept.Passes"].text("program") == "", server.state()
            for test in ("Kept.Fails", "SetUpSpeaks.Fails"):
                words = results[test].text("program")
                assert "main has begun\n" in words and "random seed: 12345\n" in words, f"{env} {options} {server.state()}"
                assert "by the" not in words, words
    server, results = speaks("Kept.Fails", "SetUpSpeaks.Fails")
    assert "the suite was prepared\n" in results["SetUpSpeaks.Fails"].text("program"), server.state()
    assert "prepared" not in results["Kept.Fails"].text("program"), server.state()


def test_log():
    """Everything that it prints outside its tests is in the server's log, once"""
    for env in MODES:
        server, _ = speaks("Kept.Passes", "SetUpSpeaks.Passes", env=env)
        log = server.stderr().splitlines()
        for line in ("main has begun", "random seed: 12345"):
            assert log.count(f"hearth: program speaks prints: {line}") == 1, server.stderr()
    server, _ = speaks("SetUpSpeaks.Passes")
    for line in ("the suite was prepared", "torn down", "main ends"):
        assert server.stderr().splitlines().count(f"hearth: program speaks prints: {line}") == 1, server.stderr()


def test_beside_tests():
    """What is printed by another hand while tests run is in the log, and said to be that"""
    with Server(programs["speaks"], env={"SPEAKS_HELPED": "1"}) as server:
        assert server.run("speaks.Kept.IsHelped").of("speaks.Kept.IsHelped").status == "success", server.state()
        line = "hearth: program speaks prints beside its tests: the helper was told a"
        await_that(lambda: line in server.stderr().splitlines(), line)


def hearth_run(test, *options, env=None):
    done = subprocess.run([Server.hearth, "run", "--no-history", *options, programs["speaks"], "--", test], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=300, check=False, env={**os.environ, **(env or {})})
    return (done.stdout + done.stderr).decode()


def test_hearth_run():
    """`hearth run` shows it with --verbose and with failures; what was printed beside tests always"""
    assert "random seed" in hearth_run("speaks.Kept.Passes", "--verbose")
    text = hearth_run("speaks.Kept.Passes")
    assert "random seed" not in text and "1 passed" in text, text
    text = hearth_run("speaks.Kept.Fails")
    assert "random seed: 12345" in text, text
    text = hearth_run("speaks.Kept.IsHelped", env={"SPEAKS_HELPED": "1"})
    assert "the helper was told a" in text and "random seed" not in text, text


def test_nobody_reads_the_log():
    """A log that nobody reads keeps nothing waiting"""
    with tempfile.TemporaryDirectory() as folder:
        script = os.path.join(folder, "talks")
        with open(script, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\ni=0\nwhile [ $i -lt 3000 ]; do echo {'x' * 100} $i; i=$((i + 1)); done\n"
                       f"exec {programs['speaks']}\n")
        os.chmod(script, 0o755)
        ours, theirs = os.pipe()
        with Server(*(f"talks{number}={script}" for number in range(4)), command=[
                "sh", "-c", f'exec "$0" "$@" 2>/proc/{os.getpid()}/fd/{theirs}', Server.hearth, "serve",
                *(f"talks{number}={script}" for number in range(4))]) as server:
            results = server.run()
            assert results.of("talks3.Kept.Passes").status == "success"
            words = results.of("talks3.Kept.Fails").text("program")
            assert "random seed" in words and len(words) < 6000, words
            assert server.goodbye() == 0
        os.close(ours)
        os.close(theirs)


if __name__ == "__main__":
    sys.exit(e2e.main())
