#!/usr/bin/python3
"""hearth-shim on pipes, with servers that print, flood, die and hold on."""

import contextlib
import fcntl
import json
import os
import random
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

import e2e
from hearth_client import (DEADLINE, RPC_ID, Server, await_that, children_of, cpu_of, encode_message, memory_of,
                           signal_all)

HERE = os.path.dirname(os.path.abspath(__file__))
SHIMMED = os.path.join(HERE, "programs", "shimmed.py")
REFERENCE = os.path.join(HERE, "..", "interop", "broken", "reference_server.py")
PYTHON = "/usr/bin/python3"
BOTH = ((), ("--stdout",))  # who has the protocol on its channel, and who has it on its stdout
HELLO = encode_message({"msg": "Hello", "max": 1, "min": 1})
GOODBYE = encode_message({"msg": "Goodbye"})


def run_message(*actions):
    return encode_message({"msg": "Run", "nonce": "n", "tests": list(actions)})


def shim(*options):
    return [e2e.programs["hearth-shim"], *options]


def shimmed(*options, command=(PYTHON, SHIMMED), **more):
    return Server(command=[*shim("--"), *command, *options], **more)


def foreign(server, name):
    return bytes(server.collector.foreign[name])


def end(server):
    """The status, once everything has arrived."""
    status = server.wait()
    server.finish_reading()
    return status


def is_in_order(packets, *wanted):
    """There are packets for which these hold, in this order."""
    seen = iter(packets)
    return all(any(holds(packet) for packet in seen) for holds in wanted)


def says(name, text):
    return lambda packet: packet.id == RPC_ID and packet.file == name and packet.content == text


def passes(test_id):
    return lambda packet: packet.id == test_id and packet.status == "success"


def sanitized():
    return os.environ.get("HEARTH_SANITIZED") == "1"


@contextlib.contextmanager
def raw_command(command):
    """With a client that reads when it wants to."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def raw_shim(*options):
    return raw_command([*shim("--"), PYTHON, SHIMMED, *options])


def processes_of(process):
    """The shim's two, and the server that it runs."""
    return [process.pid, *(inner := children_of(process.pid)), *(pid for one in inner for pid in children_of(one))]


def is_idle(process):
    """All three are there, and none of them does anything for a while."""
    pids = processes_of(process)
    used = sum(map(cpu_of, pids))
    time.sleep(0.5)
    return len(pids) == 3 and sum(map(cpu_of, pids)) == used


def assert_small(process):
    """The shim's processes; a sanitizer needs memory of its own."""
    memory = sum(map(memory_of, [process.pid, *children_of(process.pid)]))
    assert memory < 40 << 20 or sanitized(), memory


# ---- servers that end well ----------------------------------------------------------------------------


def test_hearth():
    """hearth serve has its channel, and nothing is between its packets"""
    with Server(command=[*shim("--"), Server.hearth, "serve", e2e.programs["helped"]]) as server:
        assert server.list(), server.state()
        assert server.goodbye() == 0
        server.finish_reading()
        others = [packet for packet in server.collector.packets if packet.id == RPC_ID and packet.file != "message"]
        assert not others, others


def test_foreign_server():
    """A server that knows only stdin and stdout is proxied"""
    with shimmed(command=(PYTHON, REFERENCE)) as server:
        assert "ref.Verdict.Passes" in server.list()
        assert server.run("ref.Verdict.Passes", "ref.Verdict.Fails").statuses() == {
            "ref.Verdict.Passes": "success", "ref.Verdict.Fails": "fail"}
        assert server.goodbye() == 0


def test_noise():
    """Noise before, between and behind packets is attached, in order"""
    for options in BOTH:
        with shimmed(*options, "--before", "print:out:banner\n") as server:
            server.run("print:err:one\n", "print:out:two\n", "print:out:caf\xe9\n")
            server.run("print:err:three")
            assert server.goodbye() == 0
            server.finish_reading()
            assert foreign(server, "stdout") == b"banner\ntwo\ncaf\xe9\n", (options, server.state())
            assert foreign(server, "stderr") == b"one\nthree", (options, server.state())
            packets = server.collector.packets
            assert is_in_order(packets, says("stderr", b"one\n"), passes("print:err:one\n"),
                               says("stderr", b"three"), passes("print:err:three")), packets
            if options:  # on one stream: nothing can overtake
                assert is_in_order(packets, says("stdout", b"banner\n"), passes("print:err:one\n"),
                                   says("stdout", b"two\n"), passes("print:out:two\n")), packets
            types = {packet.mime for packet in packets if packet.file == "stdout" and b"\xe9" in packet.content}
            assert types == {"application/octet-stream"}, types
            assert [packet.eof for packet in packets if packet.file == "stderr"].count(True) == 1
            assert not server.collector.errors


def test_flood():
    """A flood for a client that reads arrives to the last byte, and the results with it"""
    size = 20_000_000
    for options, streams in ((), ("out", "err")), (("--stdout",), ("err",)):
        with shimmed(*options) as server:
            server.keep_packets = False
            server.run(*[f"flood:{stream}:{size}" for stream in streams])
            assert server.goodbye() == 0
            server.finish_reading()
            for stream in streams:
                said = foreign(server, "std" + stream)
                assert len(said) == size and said.count(b"000000999\n") == size // 10_000, (stream, len(said))


def test_from_files():
    """stdin and stdout may be files"""
    with tempfile.TemporaryFile() as requests, tempfile.TemporaryFile() as answers:
        requests.write(HELLO + run_message("print:out:hello") + GOODBYE)
        requests.seek(0)
        done = subprocess.run([*shim("--"), PYTHON, SHIMMED], stdin=requests, stdout=answers, check=False, timeout=DEADLINE)
        answers.seek(0)
        assert done.returncode == 0 and b"hello" in answers.read(), done


def test_descriptors():
    """The client's descriptors keep their flags, and the server gets three, one of them its channel"""
    requests, answers = os.pipe(), os.pipe()
    process = subprocess.Popen([*shim("--"), PYTHON, SHIMMED], stdin=requests[0], stdout=answers[1])
    os.write(requests[1], HELLO)
    assert os.read(answers[0], 1)
    for fd in requests[0], answers[1]:
        assert not fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK
    os.write(requests[1], GOODBYE)
    assert process.wait(DEADLINE) == 0
    for fd in *requests, *answers:
        os.close(fd)
    with shimmed(command=("sh", "-c", "ls -l /proc/self/fd; echo $HEARTH_CHANNEL_FD"), hello=False) as server:
        assert end(server) == 0
        *lines, fd = foreign(server, "stdout").decode().strip().splitlines()
        numbers = sorted(int(found[1]) for line in lines if (found := re.search(r" (\d+) -> ", line)))
        assert fd == "0" and numbers == [0, 1, 2, 3], (fd, lines)  # 3: the folder that ls reads


# ---- servers that end badly ---------------------------------------------------------------------------


def test_death():
    """A server that dies: its client learns how, with its last words, and its status is the shim's"""
    cases = (("exit:3", 3, "exited with status 3"), ("exit:0", 0, "exited with status 0"),
             ("kill:11", 139, "was killed by signal 11 (SIGSEGV)"), ("kill:9", 137, "was killed by signal 9 (SIGKILL)"))
    for options in BOTH:
        for action, status, words in cases:
            with shimmed(*options) as server:
                server.ask_run([action])
                assert end(server) == status, (action, server.state())
                assert len(server.collector.errors) == 1, (action, server.state())
                error = server.collector.errors[0]
                assert words in error and error.endswith("last words"), error
                assert b"last words\n" in foreign(server, "stderr")


def test_begun():
    """That a test has begun arrives while it runs, and when it ends its server"""
    def began(packet):
        return packet.id.startswith("begun:") and packet.status == "inprogress"

    with e2e.Folder() as folder:
        ready = os.path.join(folder.path, "ready")
        for options in BOTH:
            with shimmed(*options) as server:
                server.ask_run([f"begun:{ready}", "kill:9"])
                server.until(lambda so_far: any(map(began, so_far.packets)), "the beginning of the test")
                with open(ready, "w", encoding="utf-8"):
                    pass
                assert end(server) == 137
            os.unlink(ready)
            with shimmed(*options) as server:
                server.ask_run(["begun:/", "begun:/etc", "kill:9"])
                assert end(server) == 137
                assert [packet.id for packet in server.collector.packets if began(packet)] == ["begun:/", "begun:/etc"]


def test_asked_to_end():
    """An end that was asked for is no news"""
    for options in BOTH:
        for farewell, status in ((GOODBYE, 0), (b"", 1)):
            with shimmed(*options) as server:
                server.send_bytes(farewell)
                server.process.stdin.close()
                assert end(server) == status, server.state()
                assert not server.collector.errors, server.state()


def test_not_started():
    """A server that cannot be started is an error, on both stdout and stderr"""
    for command, status in ((["/nonexistent/server"], 127), (["/etc/passwd"], 126)):
        with Server(command=[*shim("--"), *command], hello=False) as server:
            assert end(server) == status
            assert len(server.collector.errors) == 1 and command[0] in server.collector.errors[0], server.state()
            assert command[0] in server.stderr()


def test_wrong_usage():
    """A wrong command line says what is wrong, and exits with 2"""
    for options in ([], ["server"], ["--connect"], ["--connect", "unix"], ["--listen", "tcp:0.0.0.0:1", "--", "true"],
                    ["--token-file", "f", "--", "true"]):
        done = subprocess.run(shim(*options), stdin=subprocess.DEVNULL, capture_output=True, check=False)
        assert done.returncode == 2 and done.stderr.startswith(b"hearth-shim: ") and not done.stdout, (options, done)


def test_middle_of_packet():
    """Noise in the middle of a packet waits for its end, and what is too much for that is dropped, not a deadlock"""
    with shimmed() as server:
        server.run("half")
        assert server.goodbye() == 0
        server.finish_reading()
        said = foreign(server, "stderr")
        assert said.startswith(b"000000000\n") and b" bytes of output were dropped here" in said, said[-200:]


def test_junk_on_channel():
    """Bytes on the channel that are no packet: an error, and the packets behind them"""
    with shimmed() as server:
        server.run("junk", "print:err:x")
        assert any("begins no packet" in error for error in server.collector.errors), server.state()
        assert foreign(server, "stdout") == b"junk\n"
        assert server.goodbye() == 0


def test_closed_streams():
    """A server that closes its streams and goes on is ended"""
    with shimmed() as server:
        server.ask_run(["close"])
        assert end(server) == 143, server.state()
        assert any("closed its streams" in error for error in server.collector.errors), server.state()


def test_server_that_never_reads():
    """For a server that does not read, a bounded number of bytes is taken from the client"""
    with raw_shim("--never-reads") as process:
        os.set_blocking(process.stdin.fileno(), False)
        sent = 0
        chunk = b"x" * 65536
        while select.select([], [process.stdin], [], 1)[1]:
            with contextlib.suppress(BlockingIOError):
                sent += os.write(process.stdin.fileno(), chunk)
        assert sent < 4 << 20, sent
        process.terminate()
        assert process.wait(DEADLINE) == 143


# ---- clients ------------------------------------------------------------------------------------------


def test_client_that_does_not_read():
    """What a server prints for a client that does not read is bounded, and never holds the server up"""
    with e2e.Folder() as folder, raw_shim() as process:
        done = os.path.join(folder.path, "done")
        process.stdin.write(HELLO + run_message("flood:err:30000000", "flood:out:30000000", f"touch:{done}"))
        await_that(lambda: os.path.exists(done), "the end of the floods")
        assert_small(process)
        process.stdin.write(GOODBYE)
        process.stdin.close()
        said = process.stdout.read()
        assert b" bytes of output were dropped here, since the client did not read]" in said
        assert process.wait(DEADLINE) == 0


def test_endless_output():
    """A server that prints without end, before it speaks and for a client that does not read, waits; and so does the shim"""
    with raw_command([*shim("--"), "yes"]) as process:
        await_that(lambda: is_idle(process), "everything waiting for the client")
        assert_small(process)
        process.terminate()
        process.stdout.read()
        assert process.wait(DEADLINE) == 143


def test_backpressure():
    """A client that does not read stops the server's packets, and gets them all in the end"""
    with e2e.Folder() as folder, raw_shim() as process:
        done = os.path.join(folder.path, "done")
        process.stdin.write(HELLO + run_message(*["big:3000000"] * 5, "many:100000", f"touch:{done}"))
        received = 0
        while received < 10_000_000:
            received += len(process.stdout.read(1 << 16))
        assert not os.path.exists(done)  # what the buffers between hold is far less than what is left
        assert_small(process)
        process.stdin.write(GOODBYE)
        process.stdin.close()
        while piece := process.stdout.read(1 << 20):
            received += len(piece)
        assert received > 15_000_000 + 100_000 * 100, received
        assert os.path.exists(done) and process.wait(DEADLINE) == 0


def test_client_leaves():
    """When its client has gone, a server ends, and one that does not is ended"""
    with raw_shim() as process:
        process.stdin.write(HELLO)
        process.stdout.read(1)
        process.stdin.close()
        process.stdout.close()
        assert process.wait(DEADLINE) == 1
    with raw_shim("--never-reads") as process:
        process.stdout.close()
        assert process.wait(DEADLINE) == 143


# ---- processes ----------------------------------------------------------------------------------------


def test_signals():
    """SIGINT, SIGTERM and SIGHUP are passed on to the server's process group"""
    script = "trap 'echo caught; exit 5' INT TERM HUP; echo ready; while :; do sleep 0.1; done"
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        with shimmed(command=("sh", "-c", script), hello=False) as server:
            server.until(lambda so_far: bytes(so_far.foreign["stdout"]) == b"ready\n", "ready")
            os.kill(server.pid, number)
            assert end(server) == 5, (number, server.state())
            assert foreign(server, "stdout") == b"ready\ncaught\n", (number, server.state())


def test_leftovers():
    """When the server has ended, nothing that it started is left, in whatever session"""
    with shimmed() as server:
        server.run("leave", "leave")
        assert server.goodbye() == 0
        assert not server.wait_for_no_process()


def test_server_that_stays():
    """A server that hearth attach --start has left running outlives the shim, and is there for the next"""
    with tempfile.TemporaryDirectory(prefix="hearth-shim-") as folder:
        address = f"unix:{folder}/own/socket"
        command = [*shim("--"), Server.hearth, "attach", "--start", address, "--idle", "60", "--", e2e.programs["helped"]]
        first = shimmed(command=command[2:])
        status = None
        try:
            tests = first.list()
            status = json.loads(subprocess.check_output([Server.hearth, "status", "--json", address]))
            assert tests and first.goodbye() == 0, first.state()
            first.finish_reading()
            with Server(command=command) as second:
                assert second.list() == tests and second.goodbye() == 0
                again = json.loads(subprocess.check_output([Server.hearth, "status", "--json", address]))
                assert again["pid"] == status["pid"]
        finally:
            if status:
                os.kill(status["pid"], signal.SIGTERM)
        assert not first.wait_for_no_process()
        first.process.stdin.close()
        first.process.stdout.close()
        first.stderr_file.close()


def test_killed():
    """Whichever of the shim's processes is killed, at whatever moment: nothing is left"""
    chance = random.Random(4)
    for number in range(24):
        server = shimmed(*chance.choice(BOTH), hello=False)
        with contextlib.suppress(BrokenPipeError):
            server.send_bytes(HELLO + run_message("leave", "flood:err:1000000", "many:1000", "leave"))
        stage = number % 4
        if stage == 1:
            await_that(lambda: children_of(server.pid) or server.process.poll() is not None, "the inner process")
        elif stage == 2:
            server.until(lambda so_far: so_far.messages, "the server's Hello")
        elif stage == 3:
            server.until(lambda so_far: "leave" in so_far.statuses(), "the first result")
        time.sleep(chance.random() * 0.02)  # so that no two moments are the same; nothing depends on it
        signal_all([chance.choice([server.pid, *children_of(server.pid)])], signal.SIGKILL)
        server.process.wait(DEADLINE)
        left = server.wait_for_no_process()
        assert not left, (number, left)
        with contextlib.suppress(BrokenPipeError):
            server.process.stdin.close()
        server.finish_reading()
        server.process.stdout.close()
        server.stderr_file.close()


# ---- what it is ---------------------------------------------------------------------------------------


def test_static():
    """One static executable of at most 1.5 MB"""
    if sanitized():
        raise e2e.Skip("a sanitizer build is not static")
    path = e2e.programs["hearth-shim"]
    headers = subprocess.run(["readelf", "--program-headers", path], capture_output=True, check=True, text=True).stdout
    assert "INTERP" not in headers, headers
    with tempfile.NamedTemporaryFile() as stripped:
        subprocess.run(["strip", "-o", stripped.name, path], check=True)
        assert os.path.getsize(stripped.name) <= 1_500_000, os.path.getsize(stripped.name)


if __name__ == "__main__":
    sys.exit(e2e.main())
