#!/usr/bin/python3
"""The scripted session over consoles: ptys that cannot be made raw, that echo, that belong to a shell, that stop, and
that damage what passes."""

import concurrent.futures
import contextlib
import os
import pty
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading

import parity

import e2e
import session
from hearth_client import DEADLINE, Server, await_that, command_of, signal_all
from parity import check_same, programs, serve, shim

LINE = os.path.join(parity.HERE, "..", "..", "support", "console_line.py")
PYTHON = "/usr/bin/python3"
SECONDS = "HEARTH_CONSOLE_DEADLINE"


def attach(*arguments):
    return [Server.hearth, "attach", "--console", *arguments]


def line(*options, command=None):
    """A console that stays cooked, with the server behind it."""
    return [PYTHON, LINE, *options, "--", *(command or far_end())]


def far_end(*options, command=None):
    return [*shim("--console", *options), "--", *(command or serve())]


PTY = "pty,setsid,ctty,stderr"
PROMPT = "someone@board:~$ "
# socat leaves its own open, and there are tests that write to whatever is.
CLOSE_OTHERS = "exec " + " ".join(f"{fd}>&-" for fd in range(3, 10))


@contextlib.contextmanager
def script(text):
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
        file.write(text)
        file.flush()
        yield file.name


def ask(server):
    """A short session, for consoles where the long one would tell no more."""
    assert session.TWICE in server.list()
    result = server.run(session.TWICE).of(session.TWICE)
    assert result.status == "fail" and result.files["traceback"], server.state()
    return server.goodbye()


# ---- the whole session -----------------------------------------------------------------------------


def test_cooked():
    """A console that echoes and translates, and cannot be made raw"""
    check_same(attach("--", *line()))


def test_disturbed():
    """Kernel messages in the middle of lines, and a console that is stopped and goes on"""
    def heard(server):
        assert "console: [ 1234.567890] usb 1-1: new high-speed device" in server.stderr(), server.stderr()
    check_same(attach("--", *line("--kernel", "5000", "--xoff", "30000")), check=heard, scripts=[session.play])


def test_damaged():
    """A byte in 3000 dropped, doubled, flipped or inserted, each way"""
    check_same(attach("--", *line("--damage", "3000")), scripts=[session.play])


def test_socat():
    """A pty of socat's, which the far end makes raw"""
    with script(f"{CLOSE_OTHERS}\nexec {shlex.join(far_end())}\n") as path:
        check_same(attach("--", "socat", "-", f"EXEC:sh {path},{PTY}"), scripts=[session.play])


def test_script():
    """A shell on a pty of script's, at whose prompt the far end is started"""
    shell = shlex.join(["env", f"PS1={PROMPT}", "sh", "-i"])
    check_same(attach("--type", shlex.join(far_end()), "--", "script", "-qc", shell, "/dev/null"), check=saw(PROMPT),
               scripts=[session.play])


def test_login():
    """A console with a banner, a login, a password and a prompt, all with echo, and the prompt again behind"""
    with script(GETTY) as path:
        check_same(attach("--type", "root", "--type", "secret", "--type", shlex.join(far_end()), "--", "socat", "-",
                          f"EXEC:sh {path},{PTY}"), check=saw("Welcome to board", "Last login", PROMPT))


# What agetty and login do with a terminal, and a shell behind them.
GETTY = f"""
{CLOSE_OTHERS}
i=0
while [ $i -lt 40 ]; do echo "Welcome to board, line $i of its banner"; i=$((i + 1)); done
printf 'board login: '
read user
stty -echo
printf 'Password: '
read password
stty echo
[ "$user/$password" = root/secret ] || exit 1
printf '\nLast login: yesterday\n'
PS1='{PROMPT}' exec sh -i
"""


def saw(*texts):
    def check(server):
        for text in texts:
            assert f"console: {text}" in server.stderr(), (text, server.stderr())
    return check


# ---- beside it -------------------------------------------------------------------------------------


def test_tmux():
    """A pane of tmux, which shows the console to people at the same time"""
    with tempfile.TemporaryDirectory() as folder, script(f"PS1='{PROMPT}' exec sh -i") as shell:
        tmux = ["tmux", "-S", os.path.join(folder, "tmux"), "-f", "/dev/null"]
        subprocess.run([*tmux, "new-session", "-d", "-x", "120", "-y", "30", "sh " + shell], check=True)
        try:
            pipe = os.path.join(folder, "pipe")
            command = ["socat", "-", f"UNIX-LISTEN:{pipe}"]
            with Server(command=attach("--type", shlex.join(far_end()), "--", *command), hello=False) as server:
                await_that(lambda: os.path.exists(pipe), "socat's socket")
                subprocess.run([*tmux, "pipe-pane", "-IO", f"exec socat - UNIX-CONNECT:{pipe}"], check=True)
                server.hello()
                assert ask(server) == 0, server.stderr()
        finally:
            subprocess.run([*tmux, "kill-server"], check=True)


def test_resident():
    """A server that stays, joined from behind a console, twice"""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "server")
        serving = [Server.hearth, "serve", "--listen", "unix:" + path, *parity.serve_arguments()]
        with subprocess.Popen(serving, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as resident:
            try:
                await_that(lambda: os.path.exists(path), "the server's socket")
                for _ in range(2):
                    with Server(command=attach("--", *line(command=shim("--console", "--connect", "unix:" + path)))) as one:
                        assert ask(one) == 0, one.stderr()
            finally:
                resident.terminate()


def test_forwards():
    """Connections that are forwarded, both that speak first and that are spoken to, and one that was not allowed"""
    with socket.create_server(("127.0.0.1", 0)) as greeter, tempfile.TemporaryDirectory() as folder:
        target = f"127.0.0.1:{greeter.getsockname()[1]}"
        allowed, forbidden = os.path.join(folder, "a"), os.path.join(folder, "b")
        threading.Thread(target=greet, args=(greeter,), daemon=True).start()
        with Server(command=attach("--forward", f"unix:{allowed}={target}", "--forward", f"unix:{forbidden}=[::1]:9",
                                   "--", *line(command=far_end("--forward", target)))) as server:
            server.list()
            for _ in range(3):
                with socket.socket(socket.AF_UNIX) as client:
                    client.settimeout(DEADLINE)
                    client.connect(allowed)
                    assert client.recv(5, socket.MSG_WAITALL) == b"hello"
                    bulk = os.urandom(200_000)
                    threading.Thread(target=lambda to=client: (to.sendall(bulk), to.shutdown(socket.SHUT_WR)),
                                     daemon=True).start()
                    assert receive_all(client) == bulk
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(DEADLINE)
                client.connect(forbidden)
                assert client.recv(1) == b""
            await_that(lambda: "allow it with --forward [::1]:9" in server.stderr(), "the refusal")
            assert ask(server) == 0, server.stderr()
        assert not os.path.exists(allowed), "the socket was left"


def greet(listener):
    """Says hello, and then what it is told."""
    while True:
        try:
            client = listener.accept()[0]
        except OSError:
            return
        with client:
            client.sendall(b"hello")
            while data := client.recv(65536):
                client.sendall(data)


def receive_all(client):
    data = bytearray()
    while more := client.recv(65536):
        data += more
    return bytes(data)


def all_at_once(*cases):
    """They wait more than they work."""
    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        for done in [pool.submit(case) for case in cases]:
            done.result()


def fails(*command, says, deadline="10"):
    """The session does not come about, and that is said, with the exit code 1."""
    ended = subprocess.run(attach("--", *command), input=b"", capture_output=True, timeout=2 * DEADLINE,
                           env={**os.environ, SECONDS: deadline}, check=False)
    assert ended.returncode == 1 and ended.stdout == b"", ended
    for text in says:
        assert text in ended.stderr.decode(), ended


def test_nobody():
    """No far end: what there was instead is said within the deadline"""
    all_at_once(
        lambda: fails("sleep", "1000", says=["not found in 10 s: not one byte came"]),
        lambda: fails(*line(command=["sleep", "1000"]), says=["only an echo of this end's own lines came"]),
        lambda: fails("sh", "-c", "echo noise; exec sleep 1000", says=["only other text came"]),
        lambda: fails("sh", "-c", "echo no such board; exit 3", deadline="1000",
                      says=["exited with status 3", "console: no such board"]))


def test_losses():
    """A console that goes dead, or ends, or whose far end is stopped, in the middle of a session"""
    all_at_once(goes_dead, lambda: loses("socat", signal.SIGKILL, "the console ended before the session did"),
                lambda: loses("hearth-shim", signal.SIGSTOP, "was not heard for 10 s"))


def goes_dead():
    with Server(command=attach("--", *line("--mute", "3000")), env={SECONDS: "10"}) as server:
        server.ask_list()
        assert server.wait() == 1 and "was not heard for 10 s" in server.stderr(), server.stderr()


def loses(name, loss, says):
    with script(f"{CLOSE_OTHERS}\nexec {shlex.join(far_end())}\n") as path, \
            Server(command=attach("--", "socat", "-", f"EXEC:sh {path},{PTY}"), env={SECONDS: "10"}) as server:
        server.list()
        victims = find(server, name)
        assert victims, server.state()
        signal_all(victims, loss)
        assert server.wait() == 1 and says in server.stderr(), server.stderr()
        if loss == signal.SIGSTOP:
            signal_all(victims, signal.SIGCONT)


def find(server, name):
    return [pid for pid in server.descendants() if os.path.basename(command_of(pid).split(" ")[0]) == name]


def test_terminal():
    """The terminal is raw only while the far end has it, also where nobody calls and where it is told to end"""
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    try:
        for end in (None, signal.SIGTERM):
            process = subprocess.Popen(far_end(command=["cat"]), stdin=slave, stdout=slave, stderr=slave,
                                       env={**os.environ, SECONDS: "5" if end is None else "1000"})
            await_that(lambda: not termios.tcgetattr(slave)[3] & (termios.ICANON | termios.ECHO | termios.ISIG), "raw mode")
            if end:
                process.send_signal(end)
            assert process.wait(DEADLINE) == (128 + end if end else 1)
            assert termios.tcgetattr(slave) == before
            assert os.get_blocking(slave)
        said = os.read(master, 65536).decode()
        assert "hearth-shim: the other end of the console was not found in 5 s: not one byte came" in said, said
        assert ": A" not in said, "it was not silent"
    finally:
        os.close(master)
        os.close(slave)


def test_usage():
    """What is wrong with a command line is said, and nothing is started"""
    for arguments, says in (
            (["--forward", "1234=localhost:1", "--", "true"], "1234"),
            (["--forward", "tcp:127.0.0.1:0=host:1", "--", "true"], "names are not looked up"),
            (["--forward", "tcp:127.0.0.1:0", "--", "true"], "LISTEN=TARGET"),
            (["--type", "x" * 4095, "--", "true"], "longer than 4,094 bytes"),
            (["--", "/nonexistent"], "No such file")):
        ended = subprocess.run(attach(*arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert ended.returncode == 2 and says in ended.stderr, ended
    ended = subprocess.run(attach("--", "true"), capture_output=True, text=True, check=False,
                           env={**os.environ, "HEARTH_CONSOLE_LINE": "100"})
    assert ended.returncode == 2 and "from 255 to 4096" in ended.stderr, ended


# ---- the recipe ------------------------------------------------------------------------------------

RECIPE = os.path.join(parity.HERE, "..", "..", "..", "docs", "recipes", "console.md")
DOCKER = """#!/bin/sh
[ -t 0 ] || exit 1
[ "$1 $2 $3" = "exec -it board" ] || exit 2
shift 3
exec env PS1='# ' "$@" -i
"""


def test_recipe():
    """docs/recipes/console.md: each .testr.conf as it stands there; only the serial line's name is another"""
    with open(RECIPE, encoding="utf-8") as page:
        files = re.findall(r"^```ini\n(.*?)^```", page.read(), re.MULTILINE | re.DOTALL)
    assert len(files) == 4, files
    with tempfile.TemporaryDirectory() as folder:
        place(folder, "hearth", Server.hearth)
        place(folder, "hearth-shim", shim()[0])
        place(folder, "my_test", programs["behaviours_googletest"])
        with open(os.open(os.path.join(folder, "docker"), os.O_WRONLY | os.O_CREAT, 0o755), "w", encoding="ascii") as file:
            file.write(DOCKER)
        for text in files:
            follow(folder, text)


def place(folder, name, path):
    os.symlink(path, os.path.join(folder, name))


def follow(folder, text):
    """Runs a test with this .testr.conf."""
    line_name = os.path.join(folder, "ttyUSB0")
    socket_name = os.path.join(folder, "console.sock")
    with open(os.path.join(folder, ".testr.conf"), "w", encoding="utf-8") as file:
        file.write(text.replace("/dev/ttyUSB0", line_name))
    greeting = GETTY if "--type root" in text else f"{CLOSE_OTHERS}\nPS1='{PROMPT}' exec sh -i\n"
    near = f"PTY,link={line_name},raw,echo=0" if "ttyUSB0" in text else f"UNIX-LISTEN:{socket_name}"
    env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    with script(greeting) as path:
        with subprocess.Popen(["socat", near, f"EXEC:sh {path},{PTY}"], cwd=folder, env=env) as board:
            try:
                await_that(lambda: os.path.exists(line_name) or os.path.exists(socket_name), "the board's console")
                ran = subprocess.run(["hearth", "run", "--", "Verdict.Passes"], cwd=folder, env=env, text=True,
                                     stdin=subprocess.DEVNULL, capture_output=True, timeout=2 * DEADLINE, check=False)
                assert ran.returncode == 0, (text, ran)
            finally:
                board.terminate()
    for name in (line_name, socket_name):
        if os.path.lexists(name):
            os.unlink(name)


if __name__ == "__main__":
    sys.exit(e2e.main())
