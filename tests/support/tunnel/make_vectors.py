#!/usr/bin/python3
"""Writes spec/vectors/tunnel.

The lines are put together here from struct, base64 and zlib alone, and what a reader has to make of each is written
down beside it, so that the vectors owe nothing to the implementation that they test.

    make_vectors.py DIRECTORY            write the files below DIRECTORY (spec/vectors)
    make_vectors.py --check DIRECTORY    exit 1 unless the files there are what would be written
"""
import base64
import json
import os
import struct
import sys
import zlib

KEY = (0x01020304, 0xA1B2C3D4)
KINDS = ['hello', 'welcome', 'refuse', 'data', 'channel_end', 'stream_end', 'ack', 'reset']


def sealed(body, key=None):
    prefix = struct.pack('>II', *key) if key else b''
    return body + struct.pack('>I', zlib.crc32(prefix + body))


def armoured(body):
    return ': ' + base64.urlsafe_b64encode(body).decode().rstrip('=') + '.\n'


def content(frame):
    kind = frame['kind']
    body = bytes([(0x80 if frame['side'] == 'answerer' else 0) | (KINDS.index(kind) + 1)])
    if kind == 'hello':
        return body + struct.pack('>BBBHI', frame['min'], frame['max'], frame['window'], frame['line'],
                                  frame['caller_nonce'])
    if kind == 'welcome':
        return body + struct.pack('>BBHII', frame['max'], frame['window'], frame['line'], frame['caller_nonce'],
                                  frame['answerer_nonce'])
    if kind == 'refuse':
        return body + struct.pack('>BBI', frame['min'], frame['max'], frame['caller_nonce'])
    body += struct.pack('>IB', frame['ack'], frame['credit'])
    if kind in ('data', 'channel_end', 'stream_end'):
        body += struct.pack('>I', frame['seq'])
    if kind in ('data', 'channel_end'):
        body += bytes([frame['channel']])
    if kind == 'reset':
        body += bytes([frame['cause']])
    return body + bytes.fromhex(frame.get('payload', ''))


def body_of(frame):
    return sealed(content(frame), None if KINDS.index(frame['kind']) < 3 else KEY)


def frame(side, kind, **fields):
    return dict(side=side, kind=kind, **fields)


HELLO = frame('caller', 'hello', min=1, max=1, window=255, line=1024, caller_nonce=KEY[0])
DATA = frame('caller', 'data', ack=2, credit=255, seq=7, channel=0, payload=b'Hearth: a \x00\xff.'.hex())
ACK = frame('answerer', 'ack', ack=8, credit=254)

FRAMES = [
    ('hello', 'TUN-3.2', HELLO),
    ('hello of several versions, a small window and short lines', 'TUN-3.2',
     frame('caller', 'hello', min=1, max=9, window=1, line=255, caller_nonce=0xFFFFFFFF)),
    ('welcome', 'TUN-3.2', frame('answerer', 'welcome', max=1, window=64, line=1024, caller_nonce=KEY[0],
                                 answerer_nonce=KEY[1])),
    ('refuse', 'TUN-3.2', frame('answerer', 'refuse', min=2, max=3, caller_nonce=KEY[0])),
    ('data of the caller', 'TUN-3.3', DATA),
    ('data of the answerer, one byte, the last numbers before they wrap', 'TUN-3.3',
     frame('answerer', 'data', ack=0xFFFFFFFF, credit=1, seq=0xFFFFFFFE, channel=255, payload='00')),
    ('data with two bytes in its last group', 'TUN-2.2',
     frame('caller', 'data', ack=0, credit=1, seq=0, channel=1, payload='0102')),
    ('data with all three bytes in its last group', 'TUN-2.2',
     frame('caller', 'data', ack=0, credit=1, seq=0, channel=1, payload='010203')),
    ('end of a channel', 'TUN-3.3', frame('caller', 'channel_end', ack=0, credit=255, seq=3, channel=7)),
    ('end of the stream', 'TUN-3.3', frame('answerer', 'stream_end', ack=9, credit=0, seq=4)),
    ('ack with nothing missing', 'TUN-3.3', ACK),
    ('ack with frames behind a gap', 'TUN-6.3', frame('caller', 'ack', ack=5, credit=200, payload='0d80')),
    ('reset', 'TUN-3.3', frame('answerer', 'reset', ack=1, credit=255, cause=2)),
]


def broken():
    line = armoured(body_of(DATA))
    yield 'a character changed', 'TUN-2.4', line[:20] + ('B' if line[20] != 'B' else 'C') + line[21:], KEY
    yield 'a character missing', 'TUN-2.4', line[:20] + line[21:], KEY
    yield 'another session', 'TUN-2.4', line, (KEY[0], KEY[1] ^ 1)
    yield 'a frame of a session before there is one', 'TUN-2.4', line, None
    yield 'one character in the last group', 'TUN-2.2', ': AAAAA.\n', KEY
    tail = armoured(sealed(content(DATA) + b'x', KEY))
    assert len(tail) % 4 == 3, len(tail)  # three characters in the last group: two bits of the last are spare
    last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    spare = last[last.index(tail[-3]) | 1]
    yield 'spare bits that are not zero', 'TUN-2.2', tail[:-3] + spare + '.\n', KEY
    yield 'no body', 'TUN-2.4', ': .\n', KEY
    yield 'a checksum and nothing else', 'TUN-2.4', armoured(sealed(b'', KEY)), KEY
    yield 'an unknown kind', 'TUN-3.5', armoured(sealed(b'\x09' + content(ACK)[1:], KEY)), KEY
    yield 'a frame that is cut and sealed', 'TUN-3.5', armoured(sealed(content(DATA)[:8], KEY)), KEY
    yield 'data without payload', 'TUN-3.3', armoured(sealed(content(dict(DATA, payload='')), KEY)), KEY
    yield 'an ack with too long a bitmap', 'TUN-6.3', armoured(
        sealed(content(dict(ACK, payload='ff' * 33)), KEY)), KEY
    yield 'a stream end with more behind it', 'TUN-3.5', armoured(
        sealed(content(frame('caller', 'stream_end', ack=0, credit=1, seq=0)) + b'x', KEY)), KEY


def frame_vectors():
    for name, rule, what in FRAMES:
        yield {'name': name, 'rule': rule, 'text': armoured(body_of(what)), 'key': KEY, 'frame': what}
    for name, rule, text, key in broken():
        vector = {'name': name, 'rule': rule, 'text': text}
        if key:
            vector['key'] = key
        yield vector


def console(name, rule, *parts):
    """Parts: a dict is a frame as it is sent; bytes are foreign; ('=', BYTES, FRAME) stands for FRAME;
    ('-', BYTES) is passed over."""
    stream, foreign, frames = b'', b'', []
    for part in parts:
        if isinstance(part, dict):
            stream += armoured(body_of(part)).encode()
            frames.append(body_of(part).hex())
        elif isinstance(part, bytes):
            stream += part
            foreign += part
        else:
            stream += part[1]
            if part[0] == '=':
                frames.append(body_of(part[2]).hex())
    return {'name': name, 'rule': rule, 'hex': stream.hex(), 'key': KEY, 'frames': frames, 'foreign': foreign.hex()}


def console_vectors():
    line = armoured(body_of(DATA)).encode()
    bare = line[:-1]
    middle = len(line) // 2
    yield console('nothing', 'TUN-4.1')
    yield console('frames alone', 'TUN-4.1', HELLO, DATA, ACK)
    yield console('CR LF', 'TUN-4.4', ('=', bare + b'\r\n', DATA), ('=', bare + b'\r\r\n', DATA), ACK)
    yield console('CR', 'TUN-4.4', ('=', bare + b'\r', DATA), ACK)
    yield console('no line end at all', 'TUN-4.1', ('=', bare, DATA), ACK)
    yield console('empty lines and padding between', 'TUN-4.4', DATA, ('-', b'\n\0\r\n'), ACK)
    yield console('behind a prompt', 'TUN-4.1', b'user@host:~$ ', DATA, b'user@host:~$ ')
    yield console('behind a prompt that ends with a mark', 'TUN-4.2', b'Password: ', DATA, b'login: ')
    yield console('a kernel message behind a frame', 'TUN-4.1', ('=', bare, DATA), b'[    1.5] eth0: up.\r\n', ACK)
    yield console('a kernel message in the middle of a frame', 'TUN-4.2', line[:middle] + b'[    1.5] eth0: up.\r\n',
                  line[middle:], ACK)
    yield console('flow control and padding in a frame', 'TUN-4.3',
                  ('=', line[:1] + b'\x13' + line[1:9] + b'\x11\0' + line[9:20] + b'\x7f' + line[20:], DATA))
    yield console('a frame cut over several lines', 'TUN-4.3',
                  ('=', line[:20] + b'\r\n' + line[20:31] + b'\n' + line[31:], DATA))
    yield console('a cut frame, and another behind it', 'TUN-4.2', line[:middle] + b'\n', DATA)
    yield console('no end mark', 'TUN-4.2', line[:-2] + b'\n', DATA)
    yield console('two colons', 'TUN-4.2', b':', DATA)
    yield console('a mark in front of a mark', 'TUN-4.2', b': ', DATA)
    yield console('a damaged frame is text, with its line end', 'TUN-4.5', line[:20] + b'!' + line[21:], ACK)
    yield console('an invalid frame is text', 'TUN-4.5', line[:20] + (b'B' if line[20:21] != b'B' else b'C') + line[21:],
                  ACK)
    yield console('prose that looks like frames', 'TUN-4.5', b'note: this.\nand: that: .\n: ..\n::: :. : . a:\n')
    yield console('not ASCII', 'TUN-4.5', '\u00fc\u20ac: \u00fc.\n'.encode(), DATA, b'\xff\xfe: \xb3.')
    yield console('a frame of another session is text', 'TUN-4.5',
                  armoured(sealed(content(DATA), (1, 2))).encode(), ACK)


def main():
    check = sys.argv[1] == '--check'
    directory = os.path.join(sys.argv[-1], 'tunnel')
    wrong = []
    for name, vectors in (('frames.json', frame_vectors()), ('consoles.json', console_vectors())):
        text = '[\n' + ',\n'.join(json.dumps(vector) for vector in vectors) + '\n]\n'
        path = os.path.join(directory, name)
        if not check:
            os.makedirs(directory, exist_ok=True)
            with open(path, 'w') as file:
                file.write(text)
        else:
            with open(path) as file:
                if file.read() != text:
                    wrong.append(path)
    for path in wrong:
        print('%s is not what make_vectors.py writes' % path, file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == '__main__':
    main()
