#!/usr/bin/python3
"""Checks that spec/rpc.schema.json, the message vectors, and the reference server's reading of them agree. Writes TAP."""

import json
import pathlib
import sys

import jsonschema

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from broken.messages import Assembler, Refused, read_message  # noqa: E402
from kit.check import vector_bytes  # noqa: E402
from kit.wire import Foreign, PacketReader  # noqa: E402

SPEC = HERE.parents[1] / "spec"
VECTORS = SPEC / "vectors" / "rpc"
MAX_IDS, MAX_BYTES = 2_000_000, 128 << 20  # [RPC-12.7]


def load(name):
    with open(VECTORS / name, encoding="utf-8") as file:
        return json.load(file)


def expected_reading(reading):
    expected = dict(reading)
    if isinstance(expected.get("nonce"), list):
        expected["nonce"] = vector_bytes(expected["nonce"]).decode("utf-8")
    if isinstance(expected.get("tests"), dict):
        expected["tests"] = [expected["tests"]["repeat"]] * expected["tests"]["times"]
    return expected


def no_constant(name):
    raise ValueError(name)


def schema_accepts(validator, content):
    """None where `content` is no JSON, so that a schema has no say."""
    try:
        value = json.loads(content.decode("utf-8"), parse_constant=no_constant)
    except (ValueError, RecursionError):
        return None
    return validator.is_valid(value)


def outcome_of(content):
    try:
        return read_message(content, MAX_IDS)
    except Refused as refused:
        return refused


def check_valid(case, validator):
    content = vector_bytes(case["message"])
    if schema_accepts(validator, content) is not True:
        return "the schema does not accept it"
    reading = outcome_of(content)
    if isinstance(reading, Refused):
        return f"the reference server refuses it: {reading}"
    expected = expected_reading(case["reading"])
    # What is left over are members that mean something in other messages only.
    if {name: reading[name] for name in expected if name in reading} != expected:
        return f"the reference server reads {str(reading)[:200]}"
    if "tests" in reading and "tests" not in expected and reading["msg"] in ("List", "Run"):
        return "the reference server reads tests"
    return None


def check_invalid(case, validator):
    content = vector_bytes(case["message"])
    accepted = schema_accepts(validator, content)
    if bool(accepted) != (case.get("schema") == "accepts"):
        return f"the schema's answer is {accepted}"
    refused = outcome_of(content)
    if not isinstance(refused, Refused):
        return f"the reference server reads {refused}"
    if refused.nonce != case.get("nonce"):
        return f"the reference server sends a Done with {refused.nonce!r}"
    return None


def check_versions(case, validator):
    client, server = case["client"], case["server"]
    for numbers in (client, server):
        if not validator.is_valid({"msg": "Hello", **numbers}):
            return f"the schema does not accept {numbers}"
    common = set()
    for one, other in ((client, server), (server, client)):
        common |= {n for n in one.values() if other["min"] <= n <= other["max"]}
    highest = max(common, default=None)
    return None if highest == case["version"] else f"the highest version in both ranges is {highest}"


def check_pieces(case, _):
    assembler = Assembler(MAX_BYTES)
    for number, piece in enumerate(case["pieces"], 1):
        found = []
        for outcome in assembler.add(vector_bytes(piece["content"]), piece["eof"]):
            outcome = outcome if isinstance(outcome, Refused) else outcome_of(outcome)
            found.append("error" if isinstance(outcome, Refused) else outcome)
        if found != piece.get("after", []):
            return f"after piece {number} the reference server has {found}"
    return None


def check_session(case, _):
    """A packet a step, which says what the step says."""
    for number, step in enumerate(case["steps"], 1):
        reader = PacketReader()
        data = bytes.fromhex(step["hex"])
        items = reader.feed(data) + reader.finish()
        packets = [item for item in items if not isinstance(item, Foreign)]
        if "wrong checksum" in step["what"]:
            if packets:
                return f"step {number} holds {packets[0]}"
            continue
        if len(items) != 1 or len(packets) != 1:
            return f"step {number} is not one packet: {[str(item) for item in items]}"
        word, packet = step["what"].split()[0].rstrip(";,"), packets[0]
        said = (packet.file_bytes or b"").decode() + str(packet.test_status) + str(packet.file_name)
        if word not in said:
            return f"step {number} is no {word}: {packet}"
    return None


def main():
    with open(SPEC / "rpc.schema.json", encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    files = (
        ("valid.json", check_valid),
        ("invalid.json", check_invalid),
        ("versions.json", check_versions),
        ("pieces.json", check_pieces),
        ("sessions.json", check_session),
    )
    cases = [(name, check, case) for name, check in files for case in load(name)]
    print(f"1..{len(cases)}")
    failed = False
    for number, (name, check, case) in enumerate(cases, 1):
        problem = check(case, validator)
        print(f"{'not ok' if problem else 'ok'} {number} - {name}: {case['name']}".replace("#", "number"))
        if problem:
            print(f"# [{case['rule']}] {problem}")
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
