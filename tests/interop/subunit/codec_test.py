#!/usr/bin/python3
"""Our subunit codecs and python-subunit's: what one writes, the other reads.

    codec_test.py SUBUNIT_TOOL [LIBSUBUNIT_PROGRAM]

Random packets from a fixed seed. LIBSUBUNIT_PROGRAM prints subunit v1 with libsubunit; see libsubunit_prints.c.
"""
import datetime
import io
import json
import random
import struct
import subprocess
import sys
import unittest
import zlib

import subunit
import subunit.v2
import testtools.content
import testtools.content_type

TOOL, LIBSUBUNIT_PROGRAM = None, None
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
STATUS = [None, 'exists', 'inprogress', 'success', 'uxsuccess', 'skip', 'fail', 'xfail']
PLAIN_LETTERS = 'abcXYZ./_ \t\n\u00e9\u20ac\U0001f600'
LETTERS = PLAIN_LETTERS + '\u00b3\u20b3\u0433'  # in UTF-8, these end with a packet's signature


def tool(mode, data, *args):
    done = subprocess.run([TOOL, mode, *args], input=data, stdout=subprocess.PIPE, check=True)
    return done.stdout


def json_lines(data):
    return [json.loads(line) for line in data.decode().splitlines()]


def random_text(rng, longest=30, letters=LETTERS):
    return ''.join(rng.choice(letters) for _ in range(rng.randrange(longest)))


def random_packet(rng):
    """A packet in the JSON form of spec/vectors. Times in microseconds: Python has no finer ones."""
    packet = {}
    status = rng.choice(STATUS)
    if status:
        packet['status'] = status
    for key in ('runnable', 'eof'):
        if rng.random() < 0.5:
            packet[key] = True
    for key in ('test_id', 'route_code'):
        if rng.random() < 0.6:
            packet[key] = random_text(rng)
    if rng.random() < 0.3:
        packet['mime_type'] = rng.choice(['text/plain;charset=utf8', 'application/json'])
    if rng.random() < 0.5:
        packet['timestamp'] = [rng.randrange(1 << 32), rng.randrange(1000000) * 1000]
    if rng.random() < 0.3:
        tags = [random_text(rng, 8) for _ in range(rng.randrange(1, 100))]
        packet['tags'] = sorted(set(tags))
    if rng.random() < 0.5:
        size = rng.choice([0, 1, 50, 63, 64, 300, 16383, 16384, 70000])
        packet['file_name'] = random_text(rng)
        packet['content'] = rng.randbytes(size).hex()
    return packet


def status_arguments(packet):
    """The arguments of python-subunit's status() for a packet."""
    arguments = {'test_id': packet.get('test_id'), 'test_status': packet.get('status'),
                 'runnable': packet.get('runnable', False), 'eof': packet.get('eof', False),
                 'mime_type': packet.get('mime_type'), 'route_code': packet.get('route_code'),
                 'file_name': packet.get('file_name'), 'test_tags': packet.get('tags')}
    if 'content' in packet:
        arguments['file_bytes'] = bytes.fromhex(packet['content'])
    if 'timestamp' in packet:
        seconds, nanoseconds = packet['timestamp']
        arguments['timestamp'] = EPOCH + datetime.timedelta(
            seconds=seconds, microseconds=nanoseconds // 1000)
    return arguments


class Recorder:
    """Takes status() calls; keeps packets in the JSON form, with tags in order."""

    def __init__(self):
        self.packets = []

    def startTestRun(self):
        pass

    def stopTestRun(self):
        pass

    def status(self, test_id=None, test_status=None, test_tags=None, runnable=True, file_name=None,
               file_bytes=None, eof=False, mime_type=None, route_code=None, timestamp=None):
        packet = {'status': test_status, 'test_id': test_id, 'route_code': route_code,
                  'mime_type': mime_type, 'file_name': file_name, 'eof': eof or None,
                  'runnable': runnable or None, 'tags': sorted(test_tags) if test_tags else None}
        if file_bytes is not None:
            packet['content'] = bytes(file_bytes).hex()
        if timestamp is not None:
            since = timestamp - EPOCH
            packet['timestamp'] = [since.days * 86400 + since.seconds, since.microseconds * 1000]
        self.packets.append({k: v for k, v in packet.items() if v is not None})


def python_encode(packets):
    out = io.BytesIO()
    encoder = subunit.v2.StreamResultToBytes(out)
    for packet in packets:
        encoder.status(**status_arguments(packet))
    return out.getvalue()


def python_decode(data, text_name=None):
    recorder = Recorder()
    subunit.v2.ByteStreamToStreamResult(io.BytesIO(data), non_subunit_name=text_name).run(recorder)
    return recorder.packets


class Version2(unittest.TestCase):
    def setUp(self):
        rng = random.Random(20261120)
        self.packets = [random_packet(rng) for _ in range(1000)]

    def assertSamePackets(self, got, wanted):
        """Like assertEqual, but shows the first that differs."""
        for index, (a, b) in enumerate(zip(got, wanted)):
            if a != b:
                self.fail('packet %d:\n%s\n%s' % (index, json.dumps(a)[:2000], json.dumps(b)[:2000]))
        self.assertEqual(len(got), len(wanted))

    def test_python_encodes_we_decode(self):
        for piece in ('65536', '61'):
            events = json_lines(tool('decode', python_encode(self.packets), piece))
            self.assertSamePackets([e.get('packet') for e in events], self.packets)

    def test_we_encode_python_decodes(self):
        lines = '\n'.join(json.dumps(p) for p in self.packets).encode()
        self.assertSamePackets(python_decode(tool('encode', lines)), self.packets)

    def test_both_encode_the_same_bytes(self):
        for packet in self.packets:
            packet['tags'] = packet.get('tags', [])
        lines = '\n'.join(json.dumps(p) for p in self.packets).encode()
        self.assertTrue(tool('encode', lines) == python_encode(self.packets))

    def mixture(self, letters):
        rng = random.Random(3)
        lines = [(random_text(rng, letters=letters) + '\n').encode() for _ in self.packets]
        stream = b''.join(line + python_encode([p]) for line, p in zip(lines, self.packets))
        return stream, b''.join(lines)

    def test_text_between_packets(self):
        stream, text = self.mixture(LETTERS)
        events = json_lines(tool('decode', stream, '4096'))
        self.assertSamePackets([e['packet'] for e in events if 'packet' in e], self.packets)
        self.assertEqual(b''.join(bytes.fromhex(e['text']) for e in events if 'text' in e), text)

    def test_python_finds_the_same_packets_among_text(self):
        # Without the letters that end with a signature: python-subunit takes their last byte for a packet.
        stream, _ = self.mixture(PLAIN_LETTERS)
        theirs = [p for p in python_decode(stream, text_name='\0text')
                  if p.get('file_name') != '\0text']
        events = json_lines(tool('decode', stream))
        self.assertSamePackets([e['packet'] for e in events if 'packet' in e], theirs)

    def test_the_largest_packet(self):
        packet = {'test_id': 'a', 'file_name': 'f', 'content': 'b3' * (4 * 1024 * 1024 - 30)}
        data = python_encode([packet])
        self.assertSamePackets([e['packet'] for e in json_lines(tool('decode', data))], [packet])
        ours = tool('encode', json.dumps(packet).encode())
        self.assertTrue(ours == data)

    def test_what_python_rejects_is_damage(self):
        for fields in (b'\x02\xc3\x28', b'\x01\0', b'\x05abc', b'\x04\xed\xa0\x80!', b'\x02\xe2\x82'):
            packet = b'\xb3\x28\x00' + bytes([8 + len(fields)]) + fields
            packet += struct.pack('>I', zlib.crc32(packet))
            self.assertEqual(python_decode(packet)[-1]['file_name'], 'Parser Error')
            self.assertIn('damaged', json_lines(tool('decode', packet))[0])


class Tests:
    """What TestProtocolClient asks of a test."""

    def __init__(self, name):
        self.name = name

    def id(self):
        return self.name


def content(text, kind='text', subtype='plain', parameters=None):
    return testtools.content.Content(
        testtools.content_type.ContentType(kind, subtype, parameters), lambda: [text])


class Version1(unittest.TestCase):
    def events(self, data):
        return json_lines(tool('parse-v1', data))

    def test_what_python_prints(self):
        out = io.BytesIO()
        client = subunit.TestProtocolClient(out)
        client.time(EPOCH + datetime.timedelta(seconds=5, microseconds=7))
        client.tags({'a'}, {'b'})
        outcomes = [('addSuccess', 'success'), ('addFailure', 'fail'), ('addError', 'fail'),
                    ('addSkip', 'skip'), ('addExpectedFailure', 'xfail'),
                    ('addUnexpectedSuccess', 'uxsuccess')]
        body = b'line\n]\n0\r\n' + b'x' * 70000 + b'\xb3'
        for method, _ in outcomes:
            test = Tests('suite.' + method)
            client.startTest(test)
            getattr(client, method)(test, details={
                'log': content(body, parameters={'charset': 'utf8'}), 'traceback': content(b'why')})
            client.stopTest(test)
        client.progress(3, subunit.PROGRESS_CUR)
        events = self.events(out.getvalue())
        self.assertEqual(events[0], {'time': [5, 7000]})
        self.assertEqual(sorted(events[1]['added'] + events[1]['removed']), ['a', 'b'])
        self.assertEqual(events[-1], {'progress': 'change', 'offset': 3})
        for index, (method, status) in enumerate(outcomes):
            ended = events[3 + 2 * index]
            self.assertEqual(events[2 + 2 * index], {'started': 'suite.' + method})
            self.assertEqual((ended['ended'], ended['status']), ('suite.' + method, status))
            self.assertEqual([(a['name'], a['mime_type']) for a in ended['attachments']],
                             [('log', 'text/plain;charset=utf8'), ('traceback', 'text/plain')])
            self.assertEqual(ended['attachments'][0]['content'], body.decode(errors='replace'))
        self.assertEqual(len(events), 2 + 2 * len(outcomes) + 1)

    def test_what_libsubunit_prints(self):
        if LIBSUBUNIT_PROGRAM is None:
            self.skipTest('libsubunit is not installed')
        printed = subprocess.run([LIBSUBUNIT_PROGRAM], stdout=subprocess.PIPE, check=True).stdout
        text = 'text/plain;charset=utf8'

        def ended(name, status, *attachment):
            return {'ended': name, 'status': status, 'attachments': [
                {'name': n, 'mime_type': text, 'content': c} for n, c in attachment]}
        self.assertEqual(self.events(printed), [
            {'progress': 'set', 'offset': 4}, {'progress': 'change', 'offset': 2},
            {'progress': 'change', 'offset': -2}, {'progress': 'push', 'offset': 0},
            {'started': 'Suite::pass'}, ended('Suite::pass', 'success'),
            {'started': 'Suite::fail'},
            ended('Suite::fail', 'fail', ('traceback', 'foo.cpp:12\n- assertion failed\n')),
            {'started': 'Suite::error'}, ended('Suite::error', 'fail', ('traceback', 'thrown\n')),
            {'output': 'printed between tests\n'},
            {'started': 'Suite::skip'}, ended('Suite::skip', 'skip', ('reason', 'no disk\n')),
            {'progress': 'pop', 'offset': 0}])


if __name__ == '__main__':
    TOOL = sys.argv[1]
    LIBSUBUNIT_PROGRAM = sys.argv[2] if len(sys.argv) > 2 else None
    unittest.main(argv=sys.argv[:1])
