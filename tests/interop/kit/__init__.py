"""Conformance kit for servers of the test-server RPC (spec/rpc.md).

python-subunit and the standard library only: nothing of Hearth's own code, so that the two cannot share
a misreading. How to use it: docs/conformance.md.
"""
