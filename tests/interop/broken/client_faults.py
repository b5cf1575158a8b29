"""Servers that put a client to the test: what they do wrong must never make a run greener. Each breaks so much that the kit
has nothing to say of it. `reference_server.py --break client:NAME`."""

import os
import signal

from broken.reference_server import ReferenceServer

CLIENT_FAULTS = {}


def fault(server):
    what = "".join(f"-{c.lower()}" if c.isupper() else c for c in server.__name__).lstrip("-")
    CLIENT_FAULTS[f"client:{what}"] = server
    return server


def damaged(data):
    return data[:-1] + bytes([data[-1] ^ 1])


class Damages(ReferenceServer):
    """Counts the packets that leave after Hello, and damages some."""

    packets = 0

    def write(self, data):
        self.packets += 1
        super().write(damaged(data) if self.is_victim() else data)


@fault
class EverySeventhPacket(Damages):
    def is_victim(self):
        return self.packets % 7 == 0


@fault
class OneExists(Damages):
    """The third packet of the session, once."""

    def is_victim(self):
        return self.packets == 3


@fault
class AlwaysOneExists(ReferenceServer):
    def send_exists(self, test_id, route):
        self.victim = test_id == "ref.Verdict.PassesToo"
        super().send_exists(test_id, route)
        self.victim = False

    victim = False

    def write(self, data):
        super().write(damaged(data) if self.victim else data)


@fault
class ExistsBehindDone(ReferenceServer):
    def on_list(self, tests, nonce):
        if not (listed := self.select_listed(tests)):
            return super().on_list(tests, nonce)
        for test_id in listed[:-1]:
            self.send_exists(test_id, str(self.ordinal))
        self.send_done(nonce)
        self.send_exists(listed[-1], str(self.ordinal))


@fault
class ListsTwice(ReferenceServer):
    def send_exists(self, test_id, route):
        super().send_exists(test_id, route)
        super().send_exists(test_id, route)


@fault
class StaleResults(ReferenceServer):
    """What an earlier Run of the session was answered is sent again for each later one."""

    kept = None
    sending = ()

    def on_run(self, tests, nonce):
        if not tests or self.kept is None:
            self.kept = [] if tests else self.kept
            return super().on_run(tests, nonce)
        for fields in self.kept:
            self.send(**fields)
        self.send_done(nonce)

    def send_result(self, request, **fields):
        self.kept.append({"route_code": request.route, **fields})
        super().send_result(request, **fields)


@fault
class Strangers(ReferenceServer):
    """For each test a success of another one that nobody asked for, and a second final status."""

    def send_final(self, request, test_id, status):
        super().send_final(request, test_id, status)
        super().send_final(request, test_id, "success")
        self.send_status(request, test_id + ".stranger", "success")


@fault
class Floods(ReferenceServer):
    def complete(self, request):
        if request.ran and not request.waiting and not request.running and request in self.requests:
            for _ in range(20_000):
                self.refuse("nothing in particular")
        super().complete(request)


@fault
class Stops(ReferenceServer):
    """Stands still in the middle of a Run."""

    def start(self, request, test_id):
        super().start(request, test_id)
        os.kill(os.getpid(), signal.SIGSTOP)


@fault
class Stubborn(ReferenceServer):
    """Hears neither signals, nor Goodbye, nor the end of its input. Its log names its process."""

    def serve(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        self.log(f"process {os.getpid()}")
        return super().serve()

    def on_goodbye(self):
        pass

    def on_end_of_file(self):
        self.selector.unregister(0)


@fault
class DeafInTheMiddle(Stubborn):
    """The same, and it does nothing any more once a test runs."""

    def start(self, request, test_id):
        super().start(request, test_id)
        while True:
            signal.pause()
