#!/usr/bin/python3
"""A test server that is odd in one way: odd_server.py WAY. Its tests are odd.One and odd.Two, which pass."""

import io
import json
import os
import signal
import sys

import subunit
import subunit.v2

WAY = sys.argv[1]
IDS = ["odd.One", "odd.Two"]


def write(data):
    while data:
        data = data[os.write(1, data):]


def packet(**fields):
    buffer = io.BytesIO()
    subunit.v2.StreamResultToBytes(buffer).status(**fields)
    write(buffer.getvalue())


def say(message):
    packet(test_id="testrepository-rpc", file_name="message", mime_type="application/json",
           file_bytes=json.dumps(message).encode(), eof=True, runnable=False)


def result(test_id, status="success"):
    packet(test_id=test_id, test_status="inprogress", route_code="1")
    packet(test_id=test_id, test_status=status, route_code="1")


class Client:
    def __init__(self):
        self.message = b""

    def startTestRun(self):
        pass

    def stopTestRun(self):
        pass

    def status(self, test_id=None, file_name=None, file_bytes=None, eof=False, **_):
        if test_id == "testrepository-rpc" and file_name == "message":
            self.message += file_bytes
            if eof:
                message, self.message = json.loads(self.message), b""
                self.on(message)

    def on(self, message):
        kind = message["msg"]
        if kind == "Hello":
            say({"msg": "Hello", "max": 9, "min": 9} if WAY == "version" else {"msg": "Hello", "max": 1, "min": 1})
        elif kind == "List":
            for test_id in message.get("tests", IDS):
                packet(test_id=test_id, test_status="exists")
            say({"msg": "Done", "nonce": message["nonce"]})
        elif kind == "Run":
            self.run(message.get("tests", IDS), message["nonce"])
        elif kind == "Goodbye":
            os._exit(0)

    @staticmethod
    def run(tests, nonce):
        if WAY == "dies":
            os.kill(os.getpid(), signal.SIGSEGV)
        for test_id in tests:
            if WAY == "leaves-out" and test_id == "odd.Two":
                continue
            result(test_id)
            if WAY == "twice":
                result(test_id, "fail")
        if WAY == "stranger":
            result("nobody.AskedForThis", "fail")
        if WAY == "other-nonce":
            say({"msg": "Done", "nonce": "of-somebody-else"})
        if WAY == "early-done":
            say({"msg": "Done", "nonce": nonce})
        say({"msg": "Done", "nonce": nonce})


if WAY == "silent":
    print("Password for odd@server:", flush=True)
    signal.pause()
if WAY == "garbage":
    write(b"Welcome to odd!\n\xb3\x29\x01 not a packet\n{\"msg\": \"Hello\"}\n")
if WAY == "no-server":
    write(b"odd: command not found, try apt install odd\n")
    sys.exit(127)
subunit.ByteStreamToStreamResult(os.fdopen(0, "rb", buffering=0)).run(Client())
