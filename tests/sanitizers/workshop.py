"""Builds programs with the flags of the adapters' pkg-config modules, as users do, and runs them by hand and served."""

import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e" / "adapters")]

import served  # noqa: E402
import tap  # noqa: E402

# What a project links its tests with, besides the adapter.
FRAMEWORK = {"hearth-googletest": ["gtest_main"], "hearth-doctest": [], "hearth-cppunit": []}
PROCESS, NONE = "--isolation=process", "--isolation=none"


@dataclasses.dataclass
class Program:
    path: str

    def by_hand(self, *arguments, **environment):
        done = subprocess.run([self.path, *arguments], capture_output=True, check=False, timeout=120,
                              env={**os.environ, **environment})
        return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


class Workshop:
    """HEARTH UNINSTALLED COMPILER... of the command line; a folder for programs."""

    def __init__(self, arguments, folder):
        self.hearth, self.m_uninstalled, *compilers = arguments
        self.compilers = compilers
        self.m_folder = folder
        self.m_count = 0

    def m_flags(self, kind, module):
        done = subprocess.run(["pkg-config", kind, module], capture_output=True, check=True,
                              env=dict(os.environ, PKG_CONFIG_PATH=self.m_uninstalled))
        return done.stdout.decode().split()

    def build(self, source, module, *flags, compiler=None, libraries=()):
        self.m_count += 1
        path = os.path.join(self.m_folder, f"p{self.m_count}")
        source = source if os.path.isabs(source) else str(HERE / "programs" / source)
        framework = [flag for name in FRAMEWORK[module] for flag in self.m_flags("--libs", name)]
        command = [compiler or self.compilers[0], "-std=c++17", "-g", "-O0", *flags, *self.m_flags("--cflags", module),
                   source, "-o", path, *libraries, *self.m_flags("--libs", module),
                   *libraries, *framework, "-pthread"]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr.decode()}"
        return Program(path)

    def run(self, program, *options, command=None, **environment):
        """Status and text by the test's name, and what was printed."""
        before = dict(os.environ)
        os.environ.update(environment)
        try:
            results, output = served.run(self.hearth, [f"p={command or ''}{program.path}"],
                                         "--no-history", "--listed-order", *options)
        finally:
            os.environ.clear()
            os.environ.update(before)
        return {test_id.partition(".")[2]: result for test_id, result in results.items()}, output


def statuses(results):
    return {name: result.status for name, result in results.items()}


def leaked(result):
    """Bytes in objects, of each leak that the result tells of."""
    found = re.findall(r"irect leak of (\d+) byte\(s\) in (\d+) object", result.text("traceback"))
    return sorted((int(bytes_), int(objects)) for bytes_, objects in found)


def main(run):
    checks = tap.Checks()
    with tempfile.TemporaryDirectory() as folder:
        run(checks, Workshop(sys.argv[1:], folder))
    return checks.done()
