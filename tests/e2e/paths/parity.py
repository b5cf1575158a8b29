"""What the tests of paths share: the command line of the server at the far end, and the comparison with the direct session."""

import functools
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(HERE, "..", "..", "support")]

import session  # noqa: E402
from e2e import programs  # noqa: E402
from hearth_client import MARK, Server  # noqa: E402


def program_paths():
    return [programs[name] for name in session.PROGRAMS]


def serve_arguments():
    return [*session.FEW_JOBS, "--", *program_paths()]


def serve():
    """The server's command line, for where the session's mark does not come along by itself."""
    return ["env", MARK + "={mark}", Server.hearth, "serve", *serve_arguments()]


def shim(*options):
    return [programs["hearth-shim"], *options]


def attach(*options):
    return [Server.hearth, "attach", *options]


def folders():
    """Those that hold what the far end runs."""
    return sorted({os.path.dirname(path) for path in (Server.hearth, *program_paths())})


@functools.cache
def directly(script):
    expected = session.directly(script)
    if script is session.play:
        session.check_direct(expected)
    return expected


def check_same(command, *, noisy=False, exit_status=True, scripts=(session.play, session.leave),
               check=lambda server: None, **options):
    """Each script gives over the path what it gives directly, and leaves nothing running. A noisy path may have bytes
    between packets; one without `exit_status` has one of its own; `check` may look at what else it said."""
    for script in scripts:
        expected = dict(directly(script))
        with Server(command=command, filtered=noisy, **options) as server:
            seen = session.transcript(server, script(server))
            if not exit_status:
                del expected["exit status"], seen["exit status"]
            lines = session.differences(expected, seen)
            assert not lines, "\n".join([script.__name__, *lines[:80], "stderr:", server.stderr()])
            check(server)
