"""A server for tests of the shim, which does what the ids in a Run say. It shares no code with Hearth.

shimmed.py [--stdout] [--never-reads] [--before ACTION]...

It speaks on HEARTH_CHANNEL_FD, or with --stdout on stdin and stdout. Each id is an action, and passes when it is done:

    print:STREAM:TEXT   flood:STREAM:BYTES   big:BYTES   many:RESULTS   half   junk
    begun:PATH (says that it has begun, and waits for PATH to be there)
    exit:STATUS   kill:SIGNAL   close   leave   touch:PATH
"""

import io
import json
import os
import subprocess
import sys
import time

import subunit.v2

RPC_ID = "testrepository-rpc"
channel = 1 if "--stdout" in sys.argv else int(os.environ["HEARTH_CHANNEL_FD"])
source = 0 if "--stdout" in sys.argv else channel
fds = {"out": 1, "err": 2, "channel": channel}


def put(fd, data):
    data = memoryview(data)
    while data:
        data = data[os.write(fd, data):]


def packet(**fields):
    out = io.BytesIO()
    subunit.v2.StreamResultToBytes(out).status(**fields)
    return out.getvalue()


def send(message):
    put(channel, packet(test_id=RPC_ID, file_name="message", mime_type="application/json",
                        file_bytes=json.dumps(message).encode(), eof=True))


def flood(fd, size):
    lines = b"".join(b"%09d\n" % number for number in range(1000))
    while size > 0:
        put(fd, lines[:size])
        size -= len(lines)


def act(action):
    kind, _, rest = action.partition(":")
    if kind == "print":
        stream, _, text = rest.partition(":")
        put(fds[stream], text.encode("latin-1"))
    elif kind == "flood":
        stream, _, size = rest.partition(":")
        flood(fds[stream], int(size))
    elif kind == "big":
        put(channel, packet(test_id="big", file_name="f", file_bytes=b"x" * int(rest), mime_type="text/plain"))
    elif kind == "many":
        one = packet(test_id="many", file_name="f", file_bytes=b"x" * 100, mime_type="text/plain")
        for _ in range(int(rest)):
            put(channel, one)
    elif kind == "half":
        whole = packet(test_id="half", file_name="f", file_bytes=b"y" * 100, mime_type="text/plain")
        put(channel, whole[:50])
        flood(2, 3_000_000)  # more than anybody keeps for it
        put(channel, whole[50:])
    elif kind == "junk":
        put(channel, b"junk\n")
    elif kind == "begun":
        put(channel, packet(test_id=action, test_status="inprogress"))
        while not os.path.exists(rest):
            time.sleep(0.005)
    elif kind == "exit":
        put(2, b"first\nlast words\n")
        os._exit(int(rest))
    elif kind == "kill":
        put(2, b"last words\n")
        os.kill(os.getpid(), int(rest))
    elif kind == "close":
        for fd in {0, 1, 2, channel}:
            os.close(fd)
        while True:
            time.sleep(1000)
    elif kind == "leave":
        subprocess.Popen(["sleep", "1000"], start_new_session=True)
    elif kind == "touch":
        with open(rest, "w", encoding="utf-8"):
            pass


class Session:
    def startTestRun(self):
        pass

    def stopTestRun(self):
        pass

    def status(self, test_id=None, file_bytes=None, **_):
        if test_id != RPC_ID:
            return
        message = json.loads(bytes(file_bytes))
        if message["msg"] == "Hello":
            send({"msg": "Hello", "min": 1, "max": 1})
        elif message["msg"] == "Goodbye":
            os._exit(0)
        elif message["msg"] == "Run":
            for action in message["tests"]:
                act(action)
                put(channel, packet(test_id=action, test_status="success", route_code="1"))
            send({"msg": "Done", "nonce": message["nonce"]})


def main():
    for name, action in zip(sys.argv, sys.argv[1:]):
        if name == "--before":
            act(action)
    if "--never-reads" in sys.argv:
        while True:
            time.sleep(1000)
    subunit.v2.ByteStreamToStreamResult(os.fdopen(source, "rb", buffering=0)).run(Session())
    os._exit(1)


main()
