"""A container by bubblewrap: a root of its own, no network, its own processes. `docker` stands in for the command of that
name: `docker exec [-i] [-t] NAME COMMAND...` and `docker cp FILE NAME:PATH`.

Needs user namespaces, and no privileges.
"""

import json
import os
import shutil
import stat
import subprocess
import tempfile

NAME = "box"

# What the containers of others do with what they are given: no environment comes along, and no directory.
DOCKER = """#!/bin/sh
# docker exec [-i] [-t] [-it] {name} COMMAND... | docker cp FILE {name}:PATH
what=$1
shift
case $what in
  exec)
    while [ "${{1#-}}" != "$1" ]; do shift; done
    [ "$1" = {name} ] || {{ echo "Error: No such container: $1" >&2; exit 1; }}
    shift
    exec nsenter --target {pid} {user} --mount --uts --ipc --net --pid \\
      env -i PATH=/opt/bin:/usr/bin:/bin HOME=/ sh -c 'cd / && exec "$@"' sh "$@"
    ;;
  cp)
    [ "${{2%%:*}}" = {name} ] || {{ echo "Error: No such container: ${{2%%:*}}" >&2; exit 1; }}
    exec cp "$1" "/proc/{pid}/root${{2#*:}}"
    ;;
  *) echo "docker: '$what' is not a docker command." >&2; exit 1 ;;
esac
"""


class Unavailable(Exception):
    """Says what is missing."""


class Container:
    """In a `with`. `visible` are folders of the machine that are seen in it, at the same place, and cannot be written."""

    def __init__(self, *visible):
        for tool, package in {"bwrap": "bubblewrap", "nsenter": "util-linux"}.items():
            if not shutil.which(tool):
                raise Unavailable(f"no {tool} (Debian's package {package})")
        self.path = tempfile.mkdtemp(prefix="hearth-container-")
        self.bin = os.path.join(self.path, "bin")  # for the PATH of whoever calls docker
        self.m_process = None
        self.m_start(visible)
        try:
            self.m_write_docker()
        except Exception:
            self.m_remove()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.m_remove()

    def exec(self, *command):
        """The command line that runs the command in it."""
        return [os.path.join(self.bin, "docker"), "exec", "-i", NAME, *command]

    def run(self, *command):
        subprocess.run(self.exec(*command), stdin=subprocess.DEVNULL, check=True)

    def copy(self, path, to):
        subprocess.run([os.path.join(self.bin, "docker"), "cp", path, f"{NAME}:{to}"], check=True)

    def m_start(self, visible):
        system = [option for folder in ("usr", "etc/alternatives", "etc/ld.so.cache") if os.path.exists("/" + folder)
                  for option in ("--ro-bind", "/" + folder, "/" + folder)]
        for folder in "bin", "sbin", "lib", "lib32", "lib64":
            if os.path.islink("/" + folder):
                system += ["--symlink", os.readlink("/" + folder), "/" + folder]
            elif os.path.isdir("/" + folder):
                system += ["--ro-bind", "/" + folder, "/" + folder]
        shown = [option for folder in visible for option in ("--ro-bind", folder, folder)]
        # Without root, bwrap's own /dev costs a second user namespace, which cannot be entered from outside.
        device_folder = ["--dev", "/dev"] if os.geteuid() == 0 else ["--dev-bind", "/dev", "/dev"]
        read, write = os.pipe()
        with open(os.path.join(self.path, "log"), "wb") as log:
            # Not --die-with-parent: that is the death of the thread that started it.
            self.m_process = subprocess.Popen(
                ["bwrap", "--unshare-all", "--hostname", NAME, "--info-fd", str(write), *system, "--proc", "/proc",
                 *device_folder, "--tmpfs", "/tmp", "--dir", "/opt/bin", *shown, "--chdir", "/", "sh", "-c",
                 "echo there; exec cat"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, pass_fds=[write])
        os.close(write)
        with open(read, "rb") as information:
            self.m_information = information.read()
        self.m_there = self.m_process.stdout.readline()  # its root is, which comes after its pid

    def m_write_docker(self):
        if not self.m_there:
            self.m_process.wait()
            with open(os.path.join(self.path, "log"), encoding="utf-8", errors="replace") as log:
                raise Unavailable(f"bwrap: {log.read().strip()}")
        pid = json.loads(self.m_information)["child-pid"]
        own = os.stat("/proc/self/ns/user").st_ino == os.stat(f"/proc/{pid}/ns/user").st_ino
        text = DOCKER.format(name=NAME, pid=pid, user="" if own else "--user --preserve-credentials")
        os.mkdir(self.bin)
        docker = os.path.join(self.bin, "docker")
        with open(docker, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(docker, os.stat(docker).st_mode | stat.S_IXUSR)
        tried = subprocess.run(self.exec("true"), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if tried.returncode != 0:
            raise Unavailable(f"nsenter: {tried.stderr.strip()}")

    def m_remove(self):
        self.m_process.stdin.close()  # with its first process all others of it end
        self.m_process.wait()
        self.m_process.stdout.close()
        shutil.rmtree(self.path, ignore_errors=True)
