#!/usr/bin/python3
"""A connection over a slow and lossy network, on one machine.

    delaying_proxy.py LISTEN TARGET [--delay MS] [--loss PERCENT] [--piece BYTES] [--seed N]

Both are unix:PATH or tcp:127.0.0.1:PORT (port 0: the system chooses). Prints `listening on ADDRESS`. What comes is cut into
pieces of random length, up to --piece, and each leaves --delay later, up to half as much again. What TCP makes of a
lost packet is what --loss is: that piece, and with it all behind it, waits for four delays more. Order and content stay.
"""

import argparse
import asyncio
import os
import random
import sys

QUEUE = 256  # pieces under way in each direction


async def read_pieces(reader, queue, options, dice):
    clock = asyncio.get_running_loop()
    leaves = 0.0
    while data := await reader.read(1 << 16):
        while data:
            length = dice.randint(1, options.piece)
            delay = options.delay / 1000 * dice.uniform(1, 1.5)
            if dice.uniform(0, 100) < options.loss:
                delay += 4 * options.delay / 1000
            leaves = max(leaves, clock.time() + delay)
            await queue.put((leaves, data[:length]))
            data = data[length:]
    await queue.put((leaves, b""))


async def write_pieces(queue, writer):
    clock = asyncio.get_running_loop()
    while True:
        leaves, piece = await queue.get()
        if (left := leaves - clock.time()) > 0:
            await asyncio.sleep(left)
        if not piece:
            writer.write_eof()
            return
        writer.write(piece)
        await writer.drain()


async def forward(reader, writer, options, dice):
    queue = asyncio.Queue(QUEUE)
    await asyncio.gather(read_pieces(reader, queue, options, dice), write_pieces(queue, writer))


async def open_target(address):
    kind, _, rest = address.partition(":")
    if kind == "unix":
        return await asyncio.open_unix_connection(rest)
    return await asyncio.open_connection(*rest.rsplit(":", 1))


async def main(options):
    dice = random.Random(options.seed)

    async def serve(reader, writer):
        other = None
        try:
            other_reader, other = await open_target(options.target)
            await asyncio.gather(forward(reader, other, options, dice), forward(other_reader, writer, options, dice))
        except OSError as error:
            print(f"delaying_proxy.py: {error}", file=sys.stderr, flush=True)
        finally:
            for end in filter(None, (writer, other)):
                end.close()

    kind, _, rest = options.listen.partition(":")
    if kind == "unix":
        server = await asyncio.start_unix_server(serve, rest)
        os.chmod(rest, 0o600)
        print(f"listening on unix:{rest}", flush=True)
    else:
        server = await asyncio.start_server(serve, *rest.rsplit(":", 1))
        print(f"listening on tcp:127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    async with server:
        await server.serve_forever()


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("listen")
    parser.add_argument("target")
    parser.add_argument("--delay", type=float, default=10)
    parser.add_argument("--loss", type=float, default=0)
    parser.add_argument("--piece", type=int, default=1448)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    try:
        asyncio.run(main(arguments()))
    except KeyboardInterrupt:
        pass
