#!/usr/bin/python3
"""Does what the pages of docs/recipes/ say, block by block, on machines and containers made for it.

    recipes_test.py HEARTH HEARTH-SHIM PROGRAM [-- PAGE...]

A page's tested blocks, in their order, in one project:

    ```ini tested     a .testr.conf
    ```ini fails      one with which `hearth run` fails
    ```sh tested      commands that succeed
    ```sh fails       commands that do not
    ```text says      what the last ones printed, among other lines; `...` stands for anything

The project has a program build/my_test with two tests that pass, here and on the machine `box` (in ~/project there) and in the
container `box` (in /project). Ports that a page names are exchanged for free ones, and /tmp/hearth- for a beginning of the test's
own: no file may be left there. Prints TAP.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e"), str(HERE.parent / "support")]

import container  # noqa: E402
import e2e  # noqa: E402
import throwaway_sshd  # noqa: E402
from hearth_client import DEADLINE, Server, await_that, command_of, marked, signal_all  # noqa: E402

PAGES = HERE.parent.parent / "docs" / "recipes"
BLOCK = re.compile(r"^```(ini|sh|text) (tested|fails|says)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PORT = re.compile(r"(?<=127\.0\.0\.1:)47\d\d\b")


class Place:
    """The project, and a PATH with what stands in for the world."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="hearth-recipe-"))
        self.bin = self.path / "bin"
        self.project = self.path / "project"
        self.bin.mkdir()
        (self.path / "run").mkdir(mode=0o700)
        for executable in Server.hearth, e2e.programs["hearth-shim"]:
            (self.bin / pathlib.Path(executable).name).symlink_to(executable)
        install_project(self.project)
        self.mark = os.path.basename(self.path)
        self.environment = {**os.environ, "PATH": f"{self.bin}:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                            "COLUMNS": "200", "NO_COLOR": "1", "XDG_RUNTIME_DIR": str(self.path / "run"),
                            "HEARTH_E2E": self.mark}

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        left = []
        with contextlib.suppress(AssertionError):
            await_that(lambda: not marked(self.mark), "the end of what the page started")
        for pid in marked(self.mark):
            left.append(command_of(pid))
            signal_all([pid], signal.SIGKILL)
        shutil.rmtree(self.path, ignore_errors=True)
        assert kind or not left, f"left running: {left}"
        files = [path for folder in pathlib.Path("/tmp").glob(f"{self.mark}-*") for path in (folder, *folder.glob("*"))]
        left = [str(path) for path in files if not path.is_dir()]
        for path in reversed(files):
            path.rmdir() if path.is_dir() else path.unlink()
        assert kind or not left, f"left lying: {left}"

    def stand_in(self, name, text):
        script = self.bin / name
        script.write_text(f"#!/bin/sh\n{text}", encoding="utf-8")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)

    def run(self, command):
        """(Exit code, everything printed)."""
        done = subprocess.run(["sh", "-ec", command], cwd=self.project, env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DEADLINE, check=False)
        return done.returncode, done.stdout.decode("utf-8", "replace")


def install_project(folder):
    (folder / "build").mkdir(parents=True)
    shutil.copy(e2e.programs["on_warm_program"], folder / "build" / "my_test")


def with_free_ports(page):
    ports = {port: str(e2e.free_port()) for port in set(PORT.findall(page))}
    return PORT.sub(lambda match: ports[match.group()], page)


def check_says(block, printed):
    for line in filter(None, block.splitlines()):
        pattern = ".*".join(map(re.escape, line.strip().split("...")))
        assert re.search(pattern, printed), f"the page says\n    {line}\nwhich is not in\n{printed}"


def do(page, place):
    text = with_free_ports((PAGES / page).read_text(encoding="utf-8"))
    blocks = BLOCK.findall(text.replace("/tmp/hearth-", f"/tmp/{place.mark}-"))
    assert blocks, f"{page} has no tested block"
    printed = ""
    for language, kind, block in blocks:
        if kind == "says":
            check_says(block, printed)
            continue
        command = block
        if language == "ini":
            (place.project / ".testr.conf").write_text(block, encoding="utf-8")
            if kind == "tested":
                continue
            command = "hearth run"
        status, printed = place.run(command)
        assert (status == 0) == (kind == "tested"), f"{page}:\n{block}exited with status {status}:\n{printed}"


# ---- the world --------------------------------------------------------------------------------------


@contextlib.contextmanager
def box(place):
    """The machine `box`, which ssh knows; and `locked`, the same one without a key for it."""
    with throwaway_sshd.Sshd() as host:
        install_project(pathlib.Path(host.home) / "project")
        host.put(Server.hearth)
        with open(host.config, "a", encoding="utf-8") as config:
            config.write(f"Host locked locked1 locked2\nHostName 127.0.0.1\nPort {host.port}\nIdentityFile none\nIdentitiesOnly yes\n"
                         f"StrictHostKeyChecking no\nUserKnownHostsFile {host.path}/known\n")
        place.stand_in("ssh", f'exec /usr/bin/ssh -F {host.config} -o SetEnv=HEARTH_E2E={place.mark} "$@"\n')
        yield host


@contextlib.contextmanager
def container_box(place):
    """The container `box`, which docker knows."""
    with container.Container(os.path.dirname(Server.hearth)) as made:
        for what, where in {Server.hearth: "/opt/bin/hearth", e2e.programs["on_warm_program"]: "/tmp/my_test"}.items():
            made.copy(what, where)
        made.run("mkdir", "-p", "/project/build")
        made.run("mv", "/tmp/my_test", "/project/build/my_test")
        (place.bin / "docker").symlink_to(os.path.join(made.bin, "docker"))
        yield made


def check_page(page, world):
    try:
        with Place() as place, world(place):
            do(page, place)
    except (container.Unavailable, throwaway_sshd.Unavailable) as why:
        raise e2e.Skip(why) from None


def test_ssh():
    """ssh.md"""
    check_page("ssh.md", box)


def test_ssh_tunnel():
    """ssh-tunnel.md"""
    check_page("ssh-tunnel.md", box)


def test_container():
    """container.md"""
    check_page("container.md", container_box)


def test_instance_execute():
    """instance_execute.md"""
    check_page("instance_execute.md", box)


def test_every_page():
    """Every page has its test, and is in the manual"""
    names = {page.name for page in PAGES.glob("*.md")} - {"console.md"}  # that one's: e2e/paths/console_test.py
    assert names == {"ssh.md", "ssh-tunnel.md", "container.md", "instance_execute.md"}, names
    manual = (PAGES.parent / "README.md").read_text(encoding="utf-8")
    assert all(f"recipes/{name}" in manual for name in names), names


if __name__ == "__main__":
    sys.exit(e2e.main())
