#!/usr/bin/python3
"""`hearth attach` and `hearth status`: servers that stay, found, started, lost; servers behind tunnels."""

import contextlib
import json
import os
import pathlib
import shlex
import signal
import stat
import subprocess
import sys
import uuid

import e2e
from e2e import Folder, free_port, programs
from hearth_client import DEADLINE, MARK, Server, all_pids, await_that, is_alive, signal_all

DAEMON = "HEARTH_E2E_DAEMON"  # names the servers of one test, which no client's mark is to name
QUICK = [f"faults.All/Quick.Passes/{n}" for n in range(4)]
WAITS = [f"faults.All/Bystander.Waits/{n}" for n in range(4)]


class Place(Folder):
    """A folder with an address in it. What was started there, and stays, is ended at the end of the `with`."""

    def __init__(self, name="run/socket"):
        super().__init__()
        self.socket = f"{self.path}/{name}"
        self.address = f"unix:{self.socket}"
        self.mark = uuid.uuid4().hex
        self.env = {**os.environ, DAEMON: self.mark, "XDG_RUNTIME_DIR": f"{self.path}/runtime"}
        self.env.pop(MARK, None)
        os.mkdir(f"{self.path}/runtime", 0o700)

    def __exit__(self, *what):
        try:
            signal_all(self.servers(), signal.SIGTERM)
            await_that(lambda: not self.servers(), "the end of the servers")
        finally:
            signal_all(self.servers(), signal.SIGKILL)
            super().__exit__(*what)

    def servers(self):
        """The processes that stay, with their log keepers and warm programs."""
        wanted = f"{DAEMON}={self.mark}".encode()
        found = []
        for pid in all_pids():
            with contextlib.suppress(OSError):
                environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                if wanted in environment and not any(one.startswith(f"{MARK}=".encode()) for one in environment):
                    found += [pid] if is_alive(pid) else []
        return found

    def start_command(self, *arguments, address=None, options=()):
        return [Server.hearth, "attach", "--start", *options, address or self.address, "--", *self.options,
                *(arguments or [programs["faults"]])]

    def serve(self, *options, address=None):
        """A server that was started by hand."""
        address = address or self.address
        process = subprocess.Popen([Server.hearth, "serve", "--listen", address, *options, *self.options, "--",
                                    programs["faults"]], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=self.env)
        line = b""
        while not line.startswith(b"hearth: listening on "):
            line = process.stderr.readline()
            assert line, "it does not listen"
        return process

    def client(self, command, **more):
        """A session over the command, whose marks the server does not get."""
        return Server(command=["env", "-u", MARK, *command], env=self.env, **more)

    def attach(self, *options, address=None, **more):
        return self.client([Server.hearth, "attach", *options, address or self.address], **more)

    def start(self, *arguments, address=None, options=(), **more):
        return self.client(self.start_command(*arguments, address=address, options=options), **more)

    def run(self, *words, **more):
        return subprocess.run([Server.hearth, *words], env=self.env, capture_output=True, text=True, timeout=DEADLINE,
                              **{"stdin": subprocess.DEVNULL, **more})

    def status(self, address=None):
        done = self.run("status", "--json", address or self.address)
        assert done.returncode == 0, done
        return json.loads(done.stdout)

    def log(self):
        return pathlib.Path(f"{self.socket}.log").read_text(encoding="utf-8")


@contextlib.contextmanager
def serving(*options, address=None):
    """A place, and a server that was started by hand there."""
    with Place() as place:
        process = place.serve(*options, address=address)
        try:
            yield place
        finally:
            process.terminate()
            process.wait(DEADLINE)
            process.stderr.close()


def check_session(client):
    assert client.list()
    assert client.run(*QUICK).statuses() == {test: "success" for test in QUICK}
    assert client.goodbye() == 0, client.state()


# ---- joining -------------------------------------------------------------------------------------

def test_join():
    """Over a Unix socket, and over TCP with its token, a session is as over pipes; flags are left as they were"""
    for tcp in False, True:
        address = f"tcp:127.0.0.1:{free_port()}" if tcp else None
        with serving(address=address) as place:
            for options in [(), ("--token-file", f"{place.path}/runtime/hearth/{address.replace('tcp:127.0.0.1:', 'tcp-')}.token")] \
                    if tcp else [()]:
                with place.attach(*options, address=address) as client:
                    before = [os.get_blocking(stream.fileno()) for stream in (client.process.stdin, client.process.stdout)]
                    check_session(client)
                    assert before == [True, True] and os.get_blocking(client.process.stdout.fileno())


def test_ends():
    """Goodbye with work in flight is exit 0; an end without Goodbye, exit 1 and a reason, and the work is given up"""
    with serving() as place:
        place.make_gate("bystander")
        with place.attach() as client:
            client.ask_run(WAITS[:1])
            place.await_lines("bystanders", 1)
            assert client.goodbye() == 0, client.state()
        with place.attach() as client:
            client.ask_run(WAITS[1:2])
            pid = int(place.await_lines("bystanders", 2)[1])
            client.process.stdin.close()
            assert client.wait() == 1 and "without a Goodbye" in client.stderr(), client.state()
            await_that(lambda: not is_alive(pid), "the end of its test")


def test_client_killed():
    """A client that is killed takes its tests with it, and not the server"""
    with serving() as place:
        place.make_gate("bystander")
        with place.attach() as client:
            client.ask_run(WAITS[:1])
            (pid,) = place.await_lines("bystanders", 1)
            client.process.kill()
            await_that(lambda: not is_alive(int(pid)), "the end of its test")
        await_that(lambda: not place.status()["sessions"], "the end of its session")


def test_server_killed():
    """A server that is killed in the middle of a Run: exit 1, and a line that names address and way out"""
    with Place() as place:
        place.make_gate("bystander")
        with place.start() as client:
            client.ask_run(WAITS[:1])
            place.await_lines("bystanders", 1)
            os.kill(place.status()["pid"], signal.SIGKILL)
            assert client.wait() == 1, client.state()
            (line,) = client.stderr().splitlines()
            assert place.address in line and "before a Goodbye" in line and f"{place.socket}.log" in line, line
        await_that(lambda: ": the server exited" in place.log() or ": the server was killed" in place.log(), "its last line")


def test_slow_reader():
    """A client that does not read for a while gets everything all the same"""
    with serving() as place, place.attach(read=False) as client:
        nonce = client.ask_run(["faults.Output.Prints1Megabyte"] * 8)
        await_that(lambda: place.status()["sessions"], "its session")
        client.read()
        assert len(client.until_done(nonce).results["faults.Output.Prints1Megabyte", "1"]) == 8
        assert client.goodbye() == 0


def test_refused():
    """A wrong token, and a directory that others may enter, are refused, with the way out"""
    address = f"tcp:127.0.0.1:{free_port()}"
    with serving(address=address) as place:
        wrong = pathlib.Path(place.path, "wrong")
        wrong.write_text("0" * 64)
        for mode, word in (0o600, "refused"), (0o644, "others could read it"):
            wrong.chmod(mode)
            with place.attach("--token-file", wrong, address=address) as client:
                assert client.wait() == 1
                client.finish_reading()
                assert word in client.stderr() + "".join(client.collector.errors), client.state()
            done = place.run("status", "--token-file", str(wrong), address)
            assert done.returncode == 2 and word in done.stderr, done
        os.mkdir(f"{place.path}/open", 0o755)
        done = subprocess.run(place.start_command(address=f"unix:{place.path}/open/socket"), env=place.env, timeout=DEADLINE,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 1 and "chmod 700" in done.stderr, done


def test_nobody_there():
    """Where nobody listens, attach and status say so, and how to have a server"""
    with Place() as place:
        for command in "attach", "status":
            done = place.run(command, place.address)
            assert done.returncode == 1 and place.address in done.stderr and "hearth serve --listen" in done.stderr, done


# ---- starting ------------------------------------------------------------------------------------

def test_start():
    """The first starts the server, the second finds it; it has none of our descriptors, and a session of its own"""
    with Place() as place:
        inherited = os.memfd_create("inherited")
        os.set_inheritable(inherited, True)
        with place.start(close_fds=False) as client:
            check_session(client)
        os.close(inherited)
        first = place.status()
        assert first["idle"] == 3600 and first["programs"][0]["path"].endswith("faults"), first
        open_files = [os.readlink(f"/proc/{pid}/fd/{fd}") for pid in place.servers() for fd in fds_of(pid)]
        assert not [name for name in open_files if "inherited" in name], open_files
        assert os.getsid(first["pid"]) != os.getsid(0)
        with place.start(options=["--idle", "5"]) as client:
            check_session(client)
        second = place.status()
        assert second["pid"] == first["pid"] and second["programs"][0]["pid"] == first["programs"][0]["pid"], second
        assert stat.S_IMODE(os.stat(f"{place.socket}.log").st_mode) == 0o600
        assert "listening on" in place.log()


def fds_of(pid):
    try:
        return os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return []


def test_signals():
    """What ends the client that started a server does not end the server"""
    with Place() as place:
        for number in signal.SIGINT, signal.SIGHUP:
            with place.start(start_new_session=True) as client:
                assert client.list()
                pid = place.status()["pid"]
                os.killpg(client.pid, number)
                assert client.wait() == -number
            assert place.status()["pid"] == pid and len(os.listdir(f"/proc/{pid}/fd")) > 3


def test_at_once():
    """Of twenty that start at once, one starts the server, and all are served by it"""
    with Place() as place, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(place.start()) for _ in range(20)]
        for client in clients:
            assert client.run(QUICK[0]).statuses() == {QUICK[0]: "success"}
        assert len(place.status()["sessions"]) == 20
        for client in clients:
            assert client.goodbye() == 0
        assert place.log().count("listening on") == 1


def test_start_fails():
    """A server that cannot start: its words, and where its log is, are in the error"""
    with Place() as place:
        for arguments, word in (["--jobs", "none", "x"], "--jobs"), (["same=a", "same=b"], "same"):
            with place.start(*arguments) as client:
                assert client.wait() == 1
                assert word in client.stderr() and f"{place.socket}.log" in client.stderr(), client.state()
        await_that(lambda: not place.servers(), "the end of their log keepers")


def test_stale_socket():
    """The socket of a killed server does not stop the next start"""
    with Place() as place:
        pids = []
        for _ in range(2):
            with place.start() as client:
                check_session(client)
            pids.append(place.status()["pid"])
            os.kill(pids[-1], signal.SIGKILL)  # its keeper cleans up behind it, and leaves the socket
            await_that(lambda: not place.servers(), "their end")
            assert stat.S_ISSOCK(os.stat(place.socket).st_mode)
        assert pids[0] != pids[1]


def test_paths():
    """A path may be longer than a socket's name, and relative"""
    for name in "/".join(["d" * 100] * 3 + ["socket"]), "socket":
        with Place(f"run/{name}") as place:
            relative = f"unix:run/{name}"
            for address in relative, place.address:
                with place.start(address=address, cwd=place.path) as client:
                    check_session(client)
            assert place.run("status", relative, cwd=place.path).returncode == 0


def test_tcp_start():
    """On TCP the client that starts the server finds its token"""
    with Place() as place:
        address = f"tcp:127.0.0.1:{free_port()}"
        for options in (), (), ("--token-file", f"{place.path}/runtime/hearth/{address[14:].join(['tcp-', '.token'])}"):
            with place.start(address=address, options=options) as client:
                check_session(client)


def test_other_arguments():
    """A server that was started in another way is replaced when it has no client, and otherwise named"""
    with Place() as place:
        with place.start() as client:
            assert client.list()
            with place.start("--jobs", "1", programs["faults"]) as other:
                assert other.wait() == 1
                assert "other arguments" in other.stderr() and str(place.status()["pid"]) in other.stderr(), other.state()
            assert client.goodbye() == 0
        first = place.status()["pid"]
        await_that(lambda: not place.status()["sessions"], "the end of the session")
        with place.start("--jobs", "1", programs["faults"]) as client:
            check_session(client)
        assert place.status()["pid"] != first


# ---- status --------------------------------------------------------------------------------------

def test_status():
    """In the middle of a run, for people and as JSON"""
    with serving() as place:
        place.make_gate("bystander")
        with place.attach() as client:
            nonce = client.ask_run(WAITS[:2])
            place.await_lines("bystanders", 1)
            await_that(lambda: place.status()["running"], "the server's word of it")
            state = place.status()
            assert state["sessions"][0]["left"] == 2 and state["running"][0]["id"] in WAITS, state
            text = place.run("status", place.address).stdout
            for word in state["address"], str(state["pid"]), "faults", "fork", state["running"][0]["id"], state["since"]:
                assert word in text, text
            place.open_gate("bystander", 2)
            client.until_done(nonce)
            assert client.goodbye() == 0


# ---- with hearth run -----------------------------------------------------------------------------

def test_project():
    """One line of .testr.conf: the second run meets the server of the first, and a program that is warm again"""
    with Place() as place:
        command = " ".join(map(shlex.quote, place.start_command(address="unix:run/socket")))
        pathlib.Path(place.path, ".testr.conf").write_text(f"[DEFAULT]\nserver_command={command}\n")
        pids = []
        for _ in range(2):
            done = place.run("run", "-C", place.path, "--", "Quick.Passes")
            assert done.returncode == 0, done
            pids.append(place.status()["pid"])
            # The program has gone through its end, and is started for the next run by now.
            [program] = place.status()["programs"]
            assert program["pid"] != 0 and program["generation"] == 1, program
        assert pids[0] == pids[1], pids


# ---- tunnels -------------------------------------------------------------------------------------

FAR_END = [sys.executable, str(pathlib.Path(__file__).resolve().parents[1] / "support" / "far_end.py")]


def test_tunnel():
    """A command that brings a tunnel: its banner is shown, what the shim announces is used, and it ends with us"""
    with Place() as place:
        for address in place.address, f"tcp:127.0.0.1:{free_port()}":
            script = "echo a banner; exec \"$@\""
            command = ["sh", "-c", script, "sh", *FAR_END, "--listen", address, "--", Server.hearth, "serve", *place.options,
                       programs["faults"]]
            with place.client([Server.hearth, "attach", address, "--", *command]) as client:
                check_session(client)
                assert "a banner" in client.stderr()
            await_that(lambda: not place.servers(), "the end of the tunnel")


def test_tunnel_fails():
    """A command that ends before it announced a server, and one that cannot be run"""
    with Place() as place:
        with place.client([Server.hearth, "attach", place.address, "--", "sh", "-c", "echo no route; exit 7"]) as client:
            assert client.wait() == 1
            assert "no route" in client.stderr() and "exited with status 7" in client.stderr(), client.state()
        with place.client([Server.hearth, "attach", place.address, "--", "/no/such/command"]) as client:
            assert client.wait() == 1 and "/no/such/command" in client.stderr(), client.state()


def test_reverse_tunnel():
    """A server that connects to us: over a Unix socket, and over TCP with the token that both have"""
    with Place() as place:
        token = f"{place.path}/token"
        for address, options in (place.address, []), (f"tcp:127.0.0.1:{free_port()}", ["--token-file", token]):
            command = [*FAR_END, "--connect", address, *options[1:], "--", Server.hearth, "serve", *place.options,
                       programs["faults"]]
            with place.client([Server.hearth, "attach", "--listen", *options, address, "--", *command]) as client:
                check_session(client)
            await_that(lambda: not place.servers(), "the end of the tunnel")


def test_reverse_tunnel_fails():
    """A command that ends before a server has connected; a wrong token is turned away"""
    with Place() as place:
        with place.client([Server.hearth, "attach", "--listen", place.address, "--", "sh", "-c", "exit 7"]) as client:
            assert client.wait() == 1 and "exited with status 7" in client.stderr(), client.state()
        port = free_port()
        script = "import socket, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); " \
            "s.sendall(b'hearth token ' + b'0' * 64 + b'\\n'); sys.exit(s.recv(1) != b'')"
        with place.client([Server.hearth, "attach", "--listen", f"tcp:127.0.0.1:{port}", "--", sys.executable, "-c", script,
                           str(port)]) as client:
            assert client.wait() == 1 and "turned away" in client.stderr(), client.state()
            assert "exited with status 0" in client.stderr(), client.state()


if __name__ == "__main__":
    sys.exit(e2e.main())
