"""A small server of the test-server RPC that keeps every rule, and copies of it that break one each, to check the
conformance kit with. Python-subunit and the standard library only; slow, and not for any other use."""

import sys
import types

# Of the modules that python-subunit's testtools imports, half are for neither it nor us: a second of CPU for three servers.
sys.modules["fixtures"] = None
sys.modules["testtools.distutilscmd"] = types.SimpleNamespace(TestCommand=None)
