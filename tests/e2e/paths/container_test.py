#!/usr/bin/python3
"""The scripted session into a container with a root of its own and no network."""

import contextlib
import sys

from parity import check_same, folders, serve, shim  # first: it knows where the others are
import container
import e2e


@contextlib.contextmanager
def box():
    try:
        with container.Container(*folders()) as made:
            yield made
    except container.Unavailable as why:
        raise e2e.Skip(why) from None


def test_plain():
    """exec running the server itself"""
    with box() as inside:
        check_same(inside.exec(*serve()))


def test_shim():
    """exec running the server behind a shim that was copied in"""
    with box() as inside:
        inside.copy(*shim(), "/opt/bin/hearth-shim")
        check_same(inside.exec("hearth-shim", "--", *serve()))


if __name__ == "__main__":
    sys.exit(e2e.main())
