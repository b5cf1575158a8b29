"""A small server of the test-server RPC that keeps every rule, and copies of it that break one each, to check the
conformance kit with. Python-subunit and the standard library only; slow, and not for any other use."""
