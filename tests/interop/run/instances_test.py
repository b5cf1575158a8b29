#!/usr/bin/python3
"""hearth run over real instances: network namespaces, and an sshd with a talkative login. Two of each at a time, disposed
of however the run ends."""

import getpass
import os
import shutil
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "e2e")]

import e2e  # noqa: E402
import hearth_client  # noqa: E402
from e2e import Folder, Skip, programs  # noqa: E402
from hearth_client import await_that, is_alive  # noqa: E402
from project import Project  # noqa: E402

WAITS = {"orchestrated.Waits.AtGate": "success", "orchestrated.Waits.AtGateToo": "success"}

NAMESPACES = """instance_provision=sh ./provide $INSTANCE_COUNT
instance_execute=ip netns exec $INSTANCE_ID $COMMAND
instance_dispose=echo $INSTANCE_IDS >> disposed; for id in $INSTANCE_IDS; do ip netns delete $id; done
"""
# One at a time: hearth asks again while there are too few.
PROVIDE = """echo "$1" >> asked
name=hearth-test-$$
ip netns add $name && echo $name && echo $name >> provided
"""


class Waiting(Project):
    """A project whose tests write their pids to `waiting`, and wait at a gate."""

    def __init__(self, folder, more):
        super().__init__()
        self.folder = folder
        folder.make_gate("gate")
        hearth = os.path.abspath(hearth_client.Server.hearth)
        self.write(".testr.conf", f"[DEFAULT]\nserver_command={hearth} serve -j1 --env FAULTS_DIR={folder.path} "
                                  f"{os.path.abspath(programs['orchestrated'])}\n{more}")

    def words(self, name):
        with open(self.file(name), encoding="utf-8") as file:
            return file.read().split()

    def run_two(self):
        """A run in which two tests wait, on two servers; and those tests' pids."""
        run = self.start("hearth", "run", "--no-history", "--json", "events", "--servers", "2", "--", "Waits",
                         start_new_session=True)
        try:
            return run, [int(pid) for pid in self.folder.await_lines("waiting", 2)]
        except AssertionError as error:
            run.kill()
            raise AssertionError(f"{error}\n{run.communicate()[0]}") from None

    @staticmethod
    def press_control_c(run):
        """As a terminal does: the whole process group gets the signal."""
        os.killpg(run.pid, signal.SIGINT)

    def end(self, run, status):
        printed = run.communicate(timeout=300)[0]
        assert run.returncode == status, (run.returncode, printed)
        return printed


def namespaces(folder):
    tried = subprocess.run(["unshare", "--net", "true"], stderr=subprocess.PIPE, text=True, check=False)
    if tried.returncode != 0:
        raise Skip(f"no network namespace can be made here: {tried.stderr.strip()}")
    if not shutil.which("ip", path="/usr/sbin:/usr/bin:/sbin:/bin"):
        raise Skip("no ip (Debian's package iproute2)")
    project = Waiting(folder, NAMESPACES)
    project.write("provide", PROVIDE)
    name = f"hearth-test-{os.getpid()}"
    tried = subprocess.run(f"ip netns add {name} && ip netns exec {name} true; tried=$?; ip netns delete {name}; exit $tried",
                           shell=True, env=project.environment, stderr=subprocess.PIPE, text=True, check=False)
    if tried.returncode != 0:  # in a chroot, exec cannot make /sys that of the namespace
        raise Skip(f"ip netns: {tried.stderr.strip()}")
    return project


def namespace_of(pid):
    return os.stat(f"/proc/{pid}/ns/net").st_ino


def check_namespaces(project, tests):
    """Each test is in a namespace of its own, and these are the provided ones."""
    provided = project.words("provided")
    assert project.words("asked") == ["2", "1"] and len(provided) == 2, (project.words("asked"), provided)
    inside = {namespace_of(pid) for pid in tests}
    assert inside == {os.stat(f"/run/netns/{name}").st_ino for name in provided}, inside
    assert len(inside) == 2 and namespace_of("self") not in inside


def all_gone(project, tests):
    assert sorted(project.words("disposed")) == sorted(project.words("provided"))  # once, all at once
    for name in project.words("provided"):
        assert not os.path.exists(f"/run/netns/{name}"), name
    for pid in tests:
        assert not is_alive(pid), pid


def test_namespaces():
    """Network namespaces: each server's tests are in its own, and they are gone when the run is over"""
    with Folder() as folder, namespaces(folder) as project:
        run, tests = project.run_two()
        check_namespaces(project, tests)
        folder.open_gate("gate", 2)
        project.end(run, 0)
        assert project.results() == WAITS
        all_gone(project, tests)


def test_namespaces_interrupted():
    """Ctrl-C: the namespaces are gone with the run"""
    with Folder() as folder, namespaces(folder) as project:
        run, tests = project.run_two()
        check_namespaces(project, tests)
        project.press_control_c(run)
        assert "Interrupted" in project.end(run, 130)
        all_gone(project, tests)


def test_namespaces_killed():
    """kill -9 of hearth run: its tests end, and its namespaces are disposed of"""
    with Folder() as folder, namespaces(folder) as project:
        run, tests = project.run_two()
        check_namespaces(project, tests)
        run.kill()
        run.communicate(timeout=300)  # the end of the output: nothing of the run is left that holds it
        await_that(lambda: not any(is_alive(pid) for pid in tests), "the tests to end")
        await_that(lambda: not any(os.path.exists(f"/run/netns/{name}") for name in project.words("provided")),
                   "the namespaces to go")
        all_gone(project, tests)


# ---- ssh --------------------------------------------------------------------------------------------

# A login that says more than it should, on both of its streams.
TALKATIVE = """echo "Welcome to $(uname -n)! Temperature: 21 \xb3C"
echo "last login: never" >&2
eval "$SSH_ORIGINAL_COMMAND"
"""
SSHD = """HostKey {0}/host
AuthorizedKeysFile {0}/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
AllowTcpForwarding no
Banner {0}/banner
ForceCommand /bin/sh {0}/login
"""
# Without a port of its own: sshd answers on the client's pipe.
SSH = """Host *
IdentityFile {0}/key
IdentitiesOnly yes
StrictHostKeyChecking no
UserKnownHostsFile {0}/known
GlobalKnownHostsFile none
BatchMode yes
User {1}
ProxyCommand {2} -i -f {0}/sshd_config -E {0}/log
"""


def ssh_project(folder):
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/bin")
    if not sshd:
        raise Skip("no sshd (Debian's package openssh-server)")
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)  # what its service makes
    project = Waiting(folder, f"""instance_provision=echo first second
instance_execute=ssh -F {folder.path}/ssh_config $INSTANCE_ID $COMMAND
instance_dispose=echo $INSTANCE_IDS >> disposed
""")
    keys(folder.path)
    files = {"sshd_config": SSHD.format(folder.path), "ssh_config": SSH.format(folder.path, getpass.getuser(), sshd),
             "login": TALKATIVE, "banner": "Authorized use only.\n"}
    for name, text in files.items():
        with open(os.path.join(folder.path, name), "w", encoding="latin-1") as file:
            file.write(text)
    return project


def keys(path):
    for name in "host", "key":
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.path.join(path, name)], check=True)
    shutil.copy(os.path.join(path, "key.pub"), os.path.join(path, "authorized"))


def explained(folder, printed):
    with open(os.path.join(folder.path, "log"), encoding="utf-8", errors="replace") as log:
        return f"{printed}\nsshd:\n{log.read()}"


def test_ssh():
    """Two servers over ssh, behind a login that greets: results as elsewhere, and what it said is shown"""
    with Folder() as folder, ssh_project(folder) as project:
        run, tests = project.run_two()
        assert len(set(tests)) == 2
        folder.open_gate("gate", 2)
        printed = run.communicate(timeout=300)[0]
        assert run.returncode == 0, explained(folder, printed)
        assert "Welcome to" in printed and "2 passed" in printed, printed
        assert project.results() == WAITS
        assert sorted(project.words("disposed")) == ["first", "second"]


def test_ssh_ends():
    """Ctrl-C, and kill -9 of hearth run: nothing is left at the other end of ssh"""
    for end in Waiting.press_control_c, subprocess.Popen.kill:
        with Folder() as folder, ssh_project(folder) as project:
            run, tests = project.run_two()
            end(run)
            printed = run.communicate(timeout=300)[0]
            assert run.returncode in (130, -signal.SIGKILL), explained(folder, printed)
            await_that(lambda: not any(is_alive(pid) for pid in tests), "the tests to end")
            await_that(lambda: os.path.exists(project.file("disposed")) and project.words("disposed"), "the disposal")
            assert sorted(project.words("disposed")) == ["first", "second"]


def test_ssh_refused():
    """A login that is refused: exit code 2 in seconds, with what ssh said"""
    with Folder() as folder, ssh_project(folder) as project:
        os.remove(os.path.join(folder.path, "authorized"))
        run = project.start("hearth", "run", "--no-history", "--servers", "2")
        printed = project.end(run, 2)
        assert "could not begin" in printed and "Permission denied" in printed, explained(folder, printed)
        assert sorted(project.words("disposed")) == ["first", "second"]


if __name__ == "__main__":
    sys.exit(e2e.main())
