#!/usr/bin/python3
"""Seeds for libFuzzer, one file each, from the lists of vectors that tests/fuzz/driver.cpp reads too.

    make_corpus.py STAMP DIRECTORY FILE...
"""
import json
import os
import sys


def seeds(path):
    if not path.endswith('.json'):
        with open(path, 'rb') as file:
            yield file.read()
        return
    with open(path) as file:
        for vector in json.load(file):
            if 'hex' in vector:
                yield bytes.fromhex(vector['hex'])
            for key in ('text', 'message'):
                if isinstance(vector.get(key), str):
                    yield vector[key].encode()


def main():
    stamp, directory, paths = sys.argv[1], sys.argv[2], sys.argv[3:]
    os.makedirs(directory, exist_ok=True)
    for path in paths:
        for number, seed in enumerate(seeds(path)):
            name = '%s-%d' % (os.path.basename(path), number)
            with open(os.path.join(directory, name), 'wb') as file:
                file.write(b'\1' + seed)  # the targets' first byte says how to feed the rest
    open(stamp, 'w').close()


if __name__ == '__main__':
    main()
