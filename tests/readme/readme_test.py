#!/usr/bin/python3
"""Does what README.md says, word for word: builds a GoogleTest program each way it shows, serves it, and
compares with the program started by hand.

    readme_test.py README.md HEARTH

The module hearth-googletest is looked for as pkg-config does. CMake's way is skipped where there is no cmake.
Prints TAP.
"""

import configparser
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import subunit.v2

PROGRAM = """#include <gtest/gtest.h>
TEST(Parser, Adds) { EXPECT_EQ(1 + 1, 2); }
TEST(Parser, Subtracts) { EXPECT_EQ(3 - 1, 2); }
TEST(Printer, Prints) { std::printf("ink"); }
"""
MESON = """/usr/bin/meson setup meson-build && /usr/bin/ninja -C meson-build && cp meson-build/my_test ."""
CMAKE = """cmake -G Ninja -S . -B cmake-build && cmake --build cmake-build && cp cmake-build/my_test ."""


class Failure(Exception):
    """What was expected, and what was seen."""


def blocks(readme):
    """(language, text) of each fenced block."""
    return re.findall(r"^```(\w+)\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)


def only(readme, language, needle):
    found = [text for kind, text in blocks(readme) if kind == language and needle in text]
    if len(found) != 1:
        raise Failure(f"README.md has {len(found)} blocks of {language} with {needle!r}, not one")
    return found[0]


def environment(hearth):
    return {**os.environ, "PATH": f"{hearth.parent}:{os.environ['PATH']}"}


def shell(command, folder, hearth):
    """Runs it with `hearth` on PATH; returns (exit code, output)."""
    run = subprocess.run(
        ["sh", "-ec", command], cwd=folder, env=environment(hearth), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return run.returncode, run.stdout


def expect(command, folder, hearth, passes):
    """It succeeds, and says that so many tests passed."""
    status, output = shell(command, folder, hearth)
    if status != 0:
        raise Failure(f"`{command}` exited with status {status}:\n{output}")
    if passes is not None and not re.search(rf"\b{passes} passed\b|PASSED  \] {passes} tests", output):
        raise Failure(f"`{command}` does not say that {passes} tests passed:\n{output}")


def serve(readme, folder, hearth):
    expect("./my_test", folder, hearth, 3)
    commands = [line for line in only(readme, "sh", "hearth run").splitlines() if line.strip()]
    for command, passes in zip(commands, (3, 2), strict=True):
        expect(command, folder, hearth, passes)


def with_compiler(readme, folder, hearth):
    expect(only(readme, "sh", "g++"), folder, hearth, None)
    serve(readme, folder, hearth)


def with_cmake(readme, folder, hearth):
    project = "cmake_minimum_required(VERSION 3.16)\nproject(my CXX)\n" + only(readme, "cmake", "my_test")
    (folder / "CMakeLists.txt").write_text(project, encoding="utf-8")
    expect(CMAKE, folder, hearth, None)
    serve(readme, folder, hearth)


def with_meson(readme, folder, hearth):
    project = "project('my', 'cpp', default_options: 'cpp_std=c++17')\n" + only(readme, "meson", "my_test")
    (folder / "meson.build").write_text(project, encoding="utf-8")
    expect(MESON, folder, hearth, None)
    serve(readme, folder, hearth)


def rpc(message):
    """The message as a client sends it."""
    packet = io.BytesIO()
    subunit.v2.StreamResultToBytes(packet).status(
        test_id="testrepository-rpc", file_name="message", file_bytes=message, eof=True,
        mime_type="application/json", runnable=False,
    )  # fmt: skip
    return packet.getvalue()


def with_testr_conf(readme, folder, hearth):
    """The server_command starts a server that answers Hello and ends with Goodbye."""
    config = configparser.ConfigParser()
    config.read_string(only(readme, "ini", "server_command"))
    expect(only(readme, "sh", "g++"), folder, hearth, None)
    command = config["DEFAULT"]["server_command"]
    with subprocess.Popen(
        ["sh", "-c", command], cwd=folder, env=environment(hearth), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        server.stdin.write(rpc(b'{"msg": "Hello", "min": 1, "max": 1}'))
        server.stdin.flush()
        answer = server.stdout.read1()
        server.communicate(rpc(b'{"msg": "Goodbye"}'))
    if server.returncode != 0 or b"Hello" not in answer:
        raise Failure(f"`{command}` exited with status {server.returncode}, and said {answer!r} to Hello")


def run(name, way, readme, hearth):
    """The TAP point's text; None where it passed."""
    with tempfile.TemporaryDirectory(prefix="hearth-readme-") as folder:
        (pathlib.Path(folder) / "my_test.cpp").write_text(PROGRAM, encoding="utf-8")
        try:
            way(readme, pathlib.Path(folder), hearth)
        except Failure as failure:
            return str(failure)
    return None


def main(readme_path, hearth_path):
    readme = pathlib.Path(readme_path).read_text(encoding="utf-8")
    hearth = pathlib.Path(hearth_path).resolve()
    ways = [
        ("plain compiler line", with_compiler, None),
        ("CMake", with_cmake, "cmake"),
        ("Meson", with_meson, None),
        (".testr.conf", with_testr_conf, None),
    ]
    print(f"1..{len(ways)}", flush=True)
    for number, (name, way, tool) in enumerate(ways, 1):
        if tool and not shutil.which(tool):
            print(f"ok {number} - {name} # SKIP no {tool}", flush=True)
            continue
        failure = run(name, way, readme, hearth)
        print(f"{'not ' if failure else ''}ok {number} - {name}", flush=True)
        for line in (failure or "").splitlines():
            print(f"# {line}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
