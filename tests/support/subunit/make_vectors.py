#!/usr/bin/python3
"""Writes spec/vectors/subunit-v2 and spec/vectors/subunit-v1.

The packets are put together here from struct and zlib alone, and what a reader has to make of each stream is
written down beside it, so that the vectors owe nothing to the implementation that they test.

    make_vectors.py DIRECTORY            write the files below DIRECTORY (spec/vectors)
    make_vectors.py --check DIRECTORY    exit 1 unless the files there are what would be written
"""
import json
import os
import struct
import sys
import zlib

STATUS = [None, 'exists', 'inprogress', 'success', 'uxsuccess', 'skip', 'fail', 'xfail']


def number(value, size=None):
    size = size or (1 if value < 1 << 6 else 2 if value < 1 << 14 else 3 if value < 1 << 22 else 4)
    return (value | (size - 1) << (8 * size - 2)).to_bytes(size, 'big')


def counted(data):
    return number(len(data)) + data


def seal(flags, body, length=None, length_size=None, crc_change=0):
    """A packet of these flags and fields. `length` overrides what it says about its size."""
    for size in ([length_size] if length_size else [1, 2, 3]):
        total = 3 + size + len(body) + 4
        if length_size or len(number(total)) == size:
            break
    claimed = number(total if length is None else length, size)
    packet = b'\xb3' + struct.pack('>H', flags) + claimed + body
    return packet + struct.pack('>I', zlib.crc32(packet) ^ crc_change)


def flags_and_body(fields):
    flags, body = 0x2000 | STATUS.index(fields.get('status')), b''
    if 'timestamp' in fields:
        flags |= 0x0200
        body += struct.pack('>I', fields['timestamp'][0]) + number(fields['timestamp'][1])
    if 'test_id' in fields:
        flags |= 0x0800
        body += counted(fields['test_id'].encode())
    if 'tags' in fields:
        flags |= 0x0080
        body += number(len(fields['tags'])) + b''.join(counted(t.encode()) for t in fields['tags'])
    if 'mime_type' in fields:
        flags |= 0x0020
        body += counted(fields['mime_type'].encode())
    if 'file_name' in fields:
        flags |= 0x0040
        body += counted(fields['file_name'].encode()) + counted(fields.get('content', b''))
    if 'route_code' in fields:
        flags |= 0x0400
        body += counted(fields['route_code'].encode())
    flags |= 0x0100 if fields.get('runnable') else 0
    flags |= 0x0010 if fields.get('eof') else 0
    return flags, body


def described(fields):
    """The decoded form; see spec/vectors/README.md."""
    out = {key: fields[key] for key in ('status', 'test_id', 'route_code', 'mime_type', 'file_name')
           if key in fields}
    for key in ('runnable', 'eof'):
        if fields.get(key):
            out[key] = True
    if fields.get('tags'):
        out['tags'] = fields['tags']
    if 'timestamp' in fields:
        seconds, nanoseconds = fields['timestamp']
        out['timestamp'] = [seconds + nanoseconds // 10**9, nanoseconds % 10**9]
    if 'file_name' in fields:
        out['content'] = fields.get('content', b'').hex()
    return out


class Piece:
    def __init__(self, data, event):
        self.data, self.event = data, event


def P(raw=None, **fields):
    """A packet that a reader finds."""
    raw = raw or seal(*flags_and_body(fields))
    return Piece(raw, {'packet': described(fields), 'hex': raw.hex()})


def T(text):
    """Bytes that belong to no packet."""
    raw = text if isinstance(text, bytes) else text.encode()
    return Piece(raw, {'text': raw.hex()})


def D(reason, raw):
    """Bytes that are reported as damage."""
    return Piece(raw, {'damaged': reason, 'hex': raw.hex()})


def events_of(pieces):
    events = []
    for piece in pieces:
        if 'text' in piece.event and events and 'text' in events[-1]:
            events[-1] = {'text': events[-1]['text'] + piece.event['text']}
        elif piece.data:
            events.append(piece.event)
    return events


def raw(**fields):
    return seal(*flags_and_body(fields))


# --- packets ----------------------------------------------------------------------------------------

def packets():
    every = dict(status='fail', runnable=True, eof=True, test_id='program.Suite.test',
                 route_code='7', timestamp=(1795190400, 123456789), tags=['slow', 'net\u00a0io'],
                 mime_type='text/plain;charset=utf8', file_name='traceback', content=b'a != b\n')
    plain = [
        ('empty', {}),
        ('every field', every),
        ('test id', dict(test_id='a')),
        ('empty test id', dict(test_id='')),
        ('test id beyond ASCII', dict(test_id='\u00e9\u20ac\U0001f600\ufeff\ufffd')),
        ('runnable', dict(test_id='a', runnable=True, status='exists')),
        ('route code', dict(test_id='a', route_code='0/3')),
        ('epoch', dict(timestamp=(0, 0))),
        ('last second', dict(timestamp=(0xFFFFFFFF, 999999999))),
        ('one tag', dict(tags=['x'])),
        ('an empty tag, and one twice', dict(tags=['', 'x', 'x'])),
        ('70 tags', dict(tags=[str(i) for i in range(70)])),
        ('MIME type alone', dict(mime_type='text/plain')),
        ('file', dict(test_id='a', file_name='log', content=bytes(range(256)))),
        ('empty file, at its end', dict(test_id='a', file_name='log', eof=True)),
        ('file without a name', dict(file_name='', content=b'x')),
        ('file of no test', dict(file_name='stdout', content=b'x', mime_type='text/plain')),
        ('end of file without a file', dict(test_id='a', eof=True)),
        ('RPC message', dict(test_id='testrepository-rpc', file_name='message', eof=True,
                             mime_type='application/json',
                             content=b'{"msg":"Hello","max":1,"min":1}')),
    ]
    plain += [('status ' + s, dict(test_id='a', status=s)) for s in STATUS[1:]]
    plain += [('%d bytes of content' % n, dict(file_name='f', content=b'.' * n))
              for n in (51, 52, 53, 63, 64, 16370, 16371)]
    out = [{'name': name, 'hex': raw(**fields).hex(), 'canonical': True, 'packet': described(fields)}
           for name, fields in plain]

    def accepted(name, data, **fields):
        out.append({'name': name, 'hex': data.hex(), 'canonical': False,
                    'packet': described(fields)})
    accepted('packet length in three bytes', seal(0x2000, b'', length_size=3))
    accepted('string length in four bytes',
             seal(0x2800, number(1, 4) + b'a'), test_id='a')
    accepted('no tags, with the tags flag', seal(0x2080, number(0)))
    accepted('nanoseconds beyond a second are carried over',
             seal(0x2200, struct.pack('>I', 5) + number(0x3FFFFFFF)), timestamp=(5, 0x3FFFFFFF))
    return out


# --- streams ----------------------------------------------------------------------------------------

def streams():
    a, b = dict(test_id='a', status='success'), dict(test_id='b', status='fail')
    bad = seal(*flags_and_body(a), crc_change=1)
    long_false = b'\xb3\x20\x40\x7f\xff'  # a header that claims 16383 bytes
    inner = dict(test_id='inner', status='success')
    holder = dict(test_id='holder', file_name='f', content=raw(**inner))
    cut = raw(test_id='cut', file_name='f', content=b'.' * 40)[:30]

    def field(flags, body):
        return seal(0x2000 | flags, body)

    yield '5.1', 'nothing', []
    yield '5.1', 'one packet', [P(**a)]
    yield '5.1', 'packets one behind the other', [P(**a), P(**b), P(), P(**a)]
    yield '5.1', 'text before, between and behind', [
        T('banner\n'), P(**a), T('printed\n'), P(**b), T('bye\n')]
    yield '5.1', 'text that does not end with a newline', [T('no newline'), P(**a), T('.'), P(**b)]
    yield '5.1', 'NUL bytes between packets', [P(**a), T(b'\0\0\0'), P(**b)]

    yield '5.2', 'a signature within a character of two bytes', [T('5 m\u00b3\n'), P(**a)]
    yield '5.2', 'a signature within characters of three and four bytes', [
        T('\u20b3 \u0cf3 \U00033cf3\n'), P(**a)]
    yield '5.2', 'a character cut short takes a packet along', [T(b'\xc2' + raw(**a)), P(**b)]
    yield '5.2', 'a character that no packet can complete', [T(b'\xe2\x82\xac\xff\xf4'), P(**a)]
    yield '5.2', 'a line that is not UTF-8 has no characters', [T(b'\xff\xc2'), P(**a)]
    yield '5.2', 'the next line may have some again', [
        T(b'\xff\n\xd0' + raw(status='exists')), P(**a)]
    yield '5.2', 'a character cut short within damage', [
        D('checksum', raw(file_name='f', content='\u20ac'.encode() * 20)[:30]), P(**a), T('...'), P(**b),
        T('.' * 40)]
    yield '5.2', 'a character cut short within a packet that the end cut short', [
        T(raw(file_name='f', content='\n'.encode() + '\u20ac'.encode() * 80)[:30]), P(**a), T('...'), P(**b)]
    yield '5.2', 'a lone continuation byte', [T(b'\x82\x82'), P(**a)]
    yield '5.2', 'behind a packet begins a character', [
        P(file_name='f', content=b'\xc2'), P(**a), P(**b)]

    yield '5.3', 'Latin-1 text', [T(b'5 m\xb3, 6 m\xb3\n'), P(**a), T(b'\xb3\xb3\xb3\n'), P(**b)]
    yield '5.3', 'another version', [T(seal(0x3000, b'')), P(**a), T(seal(0x1000, b'')), P(**b)]
    yield '5.3', 'a signature at the end', [P(**a), T(b'\xb3')]
    yield '5.3', 'signatures at the end', [T(b'\xb3\xb3'), P(**a), T(b'\xb3\x20\x00')]
    yield '5.3', 'two signatures before a packet', [T(b'\xb3\xb3'), P(**a)]

    yield '5.4', 'a wrong checksum at the start', [D('checksum', bad), P(**a)]
    yield '5.4', 'a wrong checksum behind a packet', [P(**a), D('checksum', bad), P(**b)]
    yield '5.4', 'a wrong checksum behind a newline', [T('text\n'), D('checksum', bad), P(**b)]
    yield '5.4', 'a wrong checksum within text is text', [T(b'text' + bad), P(**b)]
    yield '5.4', 'damage behind damage', [D('checksum', bad), D('checksum', bad), P(**a)]
    yield '5.4', 'damage behind damage that a packet cut short', [
        D('checksum', cut), P(**a), D('checksum', bad + b''), P(**b), T('.' * 40)]
    yield '5.4', 'a packet cut short by another', [P(**a), D('checksum', cut), P(**b),
                                                   T('text of no packet\n' * 3)]
    yield '5.4', 'a reserved flag', [P(**a), D('reserved_flag', b'\xb3\x20\x08'),
                                     T(seal(0x2008, b'')[3:]), P(**b)]
    yield '5.4', 'a reserved flag within text', [T(b'text' + seal(0x2008, b'')), P(**b)]
    yield '5.4', 'a length in four bytes', [
        D('packet_length', b'\xb3\x20\x00\xc0'), T(b'\x00\x00\x0b\0\0\0\0'), P(**b)]
    yield '5.4', 'lengths too small', [
        D('packet_length', b'\xb3\x20\x00\x07'), T('\0\0\0\0\n'),
        D('packet_length', b'\xb3\x20\x00\x40\x08'), T('\0\0\0\0\n'),
        D('packet_length', b'\xb3\x20\x00\x80\x00\x09'), T('\0\0\0\0\n'), P(**b)]
    yield '5.4', 'no damage is reported within damage', [
        D('checksum', b'\xb3\x20\x40\x28' + b'\n' + bad + b'\n' + b'.' * (34 - len(bad))), P(**b)]

    yield '5.5', 'a packet within a packet is content', [P(**holder), P(**a)]
    yield '5.5', 'a packet within a damaged packet is found', [
        D('checksum', (lambda p: p[:p.index(raw(**inner))])(seal(*flags_and_body(holder), crc_change=1))),
        P(**inner), T(seal(*flags_and_body(holder), crc_change=1)[-4:]), P(**a)]
    for name, reason, flags, body in [
            ('a string past the end', 'field_overrun', 0x0800, number(5) + b'abcd'),
            ('a number past the end', 'field_overrun', 0x0800, b'\x40'),
            ('no field where the flag promises one', 'field_overrun', 0x0800, b''),
            ('a timestamp cut short', 'field_overrun', 0x0200, b'\0\0\0'),
            ('nanoseconds missing', 'field_overrun', 0x0200, b'\0\0\0\0'),
            ('file content past the end', 'field_overrun', 0x0040, b'\x01f' + number(3) + b'ab'),
            ('file content missing', 'field_overrun', 0x0040, b'\x01f'),
            ('fewer tags than announced', 'field_overrun', 0x0080, number(2) + b'\x01x'),
            ('a number of tags past any end', 'field_overrun', 0x0080, number(0x3FFFFFFF)),
            ('bytes left over', 'left_over', 0x0800, b'\x01a.'),
            ('bytes without any field', 'left_over', 0x0000, b'...'),
            ('NUL in a test id', 'string_nul', 0x0800, b'\x03a\0b'),
            ('NUL in a tag', 'string_nul', 0x0080, b'\x02\x01x\x01\0'),
            ('NUL in a MIME type', 'string_nul', 0x0020, b'\x01\0'),
            ('NUL in a file name', 'string_nul', 0x0040, b'\x01\0\x01x'),
            ('NUL in a route code', 'string_nul', 0x0400, b'\x01\0'),
            ('a test id that is Latin-1', 'string_utf8', 0x0800, b'\x02m\xb3'),
            ('a character cut short', 'string_utf8', 0x0800, b'\x02\xe2\x82'),
            ('an overlong character', 'string_utf8', 0x0800, b'\x02\xc0\xaf'),
            ('a surrogate', 'string_utf8', 0x0800, b'\x03\xed\xa0\x80'),
            ('beyond the last character', 'string_utf8', 0x0800, b'\x04\xf4\x90\x80\x80')]:
        yield '5.5', name, [P(**a), D(reason, field(flags, body)), P(**b)]
        yield '5.5', name + ', within text', [T('text'), D(reason, field(flags, body)), P(**b)]
    yield '5.5', 'a packet within a malformed one is not found', [
        D('left_over', seal(0x2800, b'\x01a' + raw(**inner))), P(**a)]

    yield '5.6', 'cut short at the end', [P(**a), T(raw(**b)[:-1])]
    yield '5.6', 'packets behind a candidate that claims too much', [
        T(b'text ' + long_false + b' text'), P(**a), P(**b), T('bye\n')]
    yield '5.6', 'the same at a synchronisation point', [T(long_false), P(**a), P(**b)]
    yield '5.6', 'candidates that claim too much, one within the other', [
        T((long_false + b'.') * 50), P(**a), T((long_false + b'.') * 3)]
    yield '5.6', 'an unfinished candidate within damage', [
        D('checksum', b'\xb3\x20\x40\x20' + long_false + b'.' * 23), P(**a)]


# --- waiting ----------------------------------------------------------------------------------------

def waiting():
    a, b = dict(test_id='a', status='success'), dict(test_id='b', status='fail')
    false = b'\xb3\x20\x40\x7f\xff'

    def step(pieces=(), waiting=False, **what):
        return dict(what, events=events_of(pieces), waiting=waiting)

    def feed(data, pieces=(), waiting=False):
        return step(pieces, waiting, feed=data.hex())

    yield 'a packet in two halves', [
        feed(raw(**a)[:5], waiting=True), feed(raw(**a)[5:], [P(**a)])]
    yield 'text before an unfinished packet is not held back', [
        feed(b'text' + raw(**a)[:2], [T('text')], True), feed(raw(**a)[2:], [P(**a)])]
    yield 'characters that hold a signature are not waited for', [
        feed('\u0448\u0430\u0433 \u0432 m\u00b3 a'.encode(),
             [T('\u0448\u0430\u0433 \u0432 m\u00b3 a')])]
    yield 'giving up: the packet behind is found', [
        feed(b'm' + false + raw(**a), [T('m')], True),
        step([T(false), P(**a)], give_up=True)]
    yield 'giving up, twice', [
        feed(false + false + b'x', [], True),
        step([T(false)], True, give_up=True),
        step([T(false + b'x')], give_up=True),
        feed(raw(**b), [P(**b)])]
    yield 'giving up: a half packet behind is still waited for', [
        feed(false + raw(**a)[:4], [], True),
        step([T(false)], True, give_up=True),
        feed(raw(**a)[4:], [P(**a)])]
    yield 'giving up a packet that then comes after all', [
        feed(raw(**a)[:4], [], True),
        step([T(raw(**a)[:4])], give_up=True),
        feed(raw(**a)[4:] + raw(**b), [T(raw(**a)[4:]), P(**b)])]
    yield 'giving up when nothing is waited for', [
        feed(raw(**a), [P(**a)]), step(give_up=True), feed(raw(**b), [P(**b)])]
    yield 'an end, and a new stream', [
        feed(false, [], True), step([T(false)], end=True),
        feed(raw(**a)[:3], [], True), feed(raw(**a)[3:], [P(**a)]), step(end=True)]
    yield 'a character does not reach over an end', [
        feed(b'\xc2', [T(b'\xc2')]), step(end=True), feed(raw(**a), [P(**a)])]


# --- version 1 --------------------------------------------------------------------------------------

def started(name):
    return {'started': name}


def ended(name, status, *attachments):
    return {'ended': name, 'status': status, 'attachments': [
        {'name': n, 'mime_type': m, 'content': c} for n, m, c in attachments]}


def output(text):
    return {'output': text}


def v1_streams():
    text = 'text/plain;charset=utf8'
    yield 'what libsubunit prints for a pass', 'test: A::b\nsuccess: A::b\n', [
        started('A::b'), ended('A::b', 'success')]
    yield 'every way to begin and to pass', (
        'test: a\nsuccess: a\ntesting: b\nsuccessful: b\ntest c\nsuccess c\ntesting d\nsuccessful d\n'), [
        e for n in 'abcd' for e in (started(n), ended(n, 'success'))]
    for word, status in [('failure', 'fail'), ('error', 'fail'), ('skip', 'skip'), ('xfail', 'xfail'),
                         ('uxsuccess', 'uxsuccess')]:
        yield word, 'test: a b\n%s: a b\n' % word, [started('a b'), ended('a b', status)]
    for word, status, name in [('failure', 'fail', 'traceback'), ('error', 'fail', 'traceback'),
                               ('skip', 'skip', 'reason'), ('xfail', 'xfail', 'traceback'),
                               ('uxsuccess', 'uxsuccess', 'traceback'),
                               ('success', 'success', 'message')]:
        yield word + ' with bracketed text', 'test: a\n%s: a [\nfoo.cpp:3\n\n- x\n]\n' % word, [
            started('a'), ended('a', status, (name, text, 'foo.cpp:3\n\n- x\n'))]
    yield 'bracketed text that is empty', 'test: a\nfailure: a [\n]\n', [
        started('a'), ended('a', 'fail', ('traceback', text, ''))]
    yield 'escaped brackets', 'test: a\nfailure: a [\n ]\n ] x\n ]]\n  ]\n ok\n]x\n]\n', [
        started('a'), ended('a', 'fail', ('traceback', text, ']\n] x\n]]\n  ]\n ok\n]x\n'))]
    yield 'directives within bracketed text', 'test: a\nerror: a [\ntest: b\nsuccess: a\n]\n', [
        started('a'), ended('a', 'fail', ('traceback', text, 'test: b\nsuccess: a\n'))]
    yield 'multipart', (
        'test: a\nfailure: a [ multipart\nContent-Type: text/plain;charset=utf8\ntraceback\n'
        '6\r\nhello\n0\r\nContent-Type: application/octet-stream\ncore dump\n'
        '4\r\n]\n\r\n0A\r\n0123456789\r\n0\r\n]\n').replace('89\r\n0\r\n', '890\r\n'), [
        started('a'), ended('a', 'fail', ('traceback', 'text/plain;charset=utf8', 'hello\n'),
                            ('core dump', 'application/octet-stream', ']\n\r\n0123456789'))]
    yield 'multipart without parts', 'test: a\nsuccess: a [ multipart\n]\n', [
        started('a'), ended('a', 'success')]
    yield 'an empty part', (
        'test: a\nskip: a [ multipart\nContent-Type: text/plain\nreason\n0\r\n]\n'), [
        started('a'), ended('a', 'skip', ('reason', 'text/plain', ''))]
    part = 'Content-Type: a/b\nc\n'
    for name, good, bad in [('a size that is none', part, 'xyz\r\n'),
                            ('a size without a carriage return', part, '5\n'),
                            ('no size', part, '\r\n'),
                            ('a negative size', part, '-1\r\n'),
                            ('a size beyond 32 bits', part, '100000000\r\n'),
                            ('no type where one belongs', '', 'traceback\n'),
                            ('a type without a slash', '', 'Content-Type: text\n')]:
        attachments = [{'name': 'c', 'mime_type': 'a/b', 'content': ''}] if good else []
        yield 'multipart: ' + name, (
            'test: a\nfailure: a [ multipart\n' + good + bad + 'test: b\nsuccess: b\n'), [
            started('a'), {'damaged': 'a', 'attachments': attachments}, output(bad),
            started('b'), ended('b', 'success')]
    yield 'multipart: a test begins where a type belongs', (
        'test: a\nfailure: a [ multipart\ntest: b\nsuccess: b\n'), [
        started('a'), {'damaged': 'a', 'attachments': []}, started('b'), ended('b', 'success')]
    yield 'output everywhere', 'x\ntest: a\ny\nsuccess: a\nz\n', [
        output('x\n'), started('a'), output('y\n'), ended('a', 'success'), output('z\n')]
    yield 'outcomes of no test are output', 'success: a\nfailure: a [\nerror: a\n', [
        output('success: a\nfailure: a [\nerror: a\n')]
    yield 'outcomes of another test are output', 'test: a\nsuccess: ab\nsuccess: b\nsuccess: a\n', [
        started('a'), output('success: ab\nsuccess: b\n'), ended('a', 'success')]
    yield 'a test within a test is output', 'test: a\ntest: b\nsuccess: a\n', [
        started('a'), output('test: b\n'), ended('a', 'success')]
    yield 'directives that are none', (
        'test:\ntest: \n test: a\ntests: a\nTEST: a\nprogress: many\ntime: soon\n:\n\n'), [
        output('test:\ntest: \n test: a\ntests: a\nTEST: a\nprogress: many\ntime: soon\n:\n\n')]
    yield 'a test id like an outcome with brackets', 'test: a [\nsuccess: a [\n', [
        started('a ['), ended('a [', 'success')]
    yield 'a test id with spaces at its ends', 'test:  a \nsuccess:  a \n', [
        started(' a '), ended(' a ', 'success')]
    yield 'a test id beyond ASCII', 'test: \u00e9\u20b3\nsuccess: \u00e9\u20b3\n', [
        started('\u00e9\u20b3'), ended('\u00e9\u20b3', 'success')]
    yield 'progress', 'progress: 10\nprogress: +3\nprogress: -2\nprogress: push\nprogress: pop\n', [
        {'progress': 'set', 'offset': 10}, {'progress': 'change', 'offset': 3},
        {'progress': 'change', 'offset': -2}, {'progress': 'push', 'offset': 0},
        {'progress': 'pop', 'offset': 0}]
    yield 'tags', 'tags: a -b  c\ntags: -\u00e9\n', [
        {'added': ['a', 'c'], 'removed': ['b']}, {'added': [], 'removed': ['\u00e9']}]
    yield 'times', (
        'time: 2026-11-20 15:00:00.000000Z\ntime: 2026-11-20T15:00:00.123456789Z\n'
        'time: 1970-01-01 00:00:01\ntime: 2026-11-20 16:30:00+01:30\n'), [
        {'time': [1795186800, 0]}, {'time': [1795186800, 123456789]}, {'time': [1, 0]},
        {'time': [1795186800, 0]}]
    yield 'times that are none', 'time: 2026-02-30 00:00:00Z\ntime: 2026-01-01 24:00:00Z\n', [
        output('time: 2026-02-30 00:00:00Z\ntime: 2026-01-01 24:00:00Z\n')]
    yield 'a stream that ends within a test', 'test: a\nhalf a li', [
        started('a'), output('half a li'), {'damaged': 'a', 'attachments': []}]
    yield 'an outcome without its newline', 'test: a\nsuccess: a', [
        started('a'), output('success: a'), {'damaged': 'a', 'attachments': []}]
    yield 'a stream that ends within bracketed text', 'test: a\nfailure: a [\nfoo\nba', [
        started('a'), {'damaged': 'a', 'attachments': [
            {'name': 'traceback', 'mime_type': text, 'content': 'foo\nba'}]}]
    yield 'an end of bracketed text without its newline', 'test: a\nfailure: a [\nfoo\n]', [
        started('a'), {'damaged': 'a', 'attachments': [
            {'name': 'traceback', 'mime_type': text, 'content': 'foo\n]'}]}]
    yield 'a stream that ends within a chunk', (
        'test: a\nfailure: a [ multipart\nContent-Type: a/b\nc\nFF\r\nfoo'), [
        started('a'), {'damaged': 'a', 'attachments': [
            {'name': 'c', 'mime_type': 'a/b', 'content': 'foo'}]}]


# --- files ------------------------------------------------------------------------------------------

def files():
    yield 'subunit-v2/packets.json', packets()
    yield 'subunit-v2/streams.json', [
        {'name': name, 'rule': 'SUB2-' + rule, 'hex': b''.join(p.data for p in pieces).hex(),
         'events': events_of(pieces)} for rule, name, pieces in streams()]
    yield 'subunit-v2/waiting.json', [{'name': name, 'steps': steps} for name, steps in waiting()]
    yield 'subunit-v1/streams.json', [
        {'name': name, 'text': text, 'events': events} for name, text, events in v1_streams()]


def main():
    check = sys.argv[1] == '--check'
    stale = 0
    for name, vectors in files():
        path = os.path.join(sys.argv[-1], name)
        text = '[\n' + ',\n'.join(json.dumps(v, ensure_ascii=True) for v in vectors) + '\n]\n'
        if check:
            with open(path) as old:
                if old.read() != text:
                    print('%s is not what %s writes: run it' % (path, sys.argv[0]))
                    stale = 1
        else:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'w') as new:
                new.write(text)
    return stale


if __name__ == '__main__':
    sys.exit(main())
