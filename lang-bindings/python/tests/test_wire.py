import unittest

from lambkin import wire


def head(text):
    return wire.take_head(text.replace("\n", "\r\n").encode())[0]


class Heads(unittest.TestCase):
    def test_a_head_is_taken_when_it_is_complete(self):
        data = b"POST /a?b HTTP/1.1\r\nHost: x\r\nX-Two:  spaced \r\n\r\nbody"
        for length in range(data.index(b"\r\n\r\n") + 4):
            self.assertIsNone(wire.take_head(data[:length]), data[:length])
        found, rest = wire.take_head(data)
        self.assertEqual((found.method, found.target, rest), ("POST", "/a?b", b"body"))
        self.assertEqual(found.headers, [("host", b"x"), ("x-two", b"spaced")])

    def test_other_protocols_are_refused_by_their_first_bytes(self):
        for data in (
            b"*1\r\n$4\r\nPING\r\n",
            b"EHLO me\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x16\x03\x01",
            b"\x00\x00\x00\x08",
            b"GET /\r\n",
        ):
            with self.assertRaisesRegex(OSError, "HTTP/1.1 and nothing else"):
                wire.take_head(data)

    def test_a_connection_is_kept_unless_the_request_says_otherwise(self):
        for version, header, expected in (
            ("1.1", "", True),
            ("1.1", "Connection: Close\n", False),
            ("1.0", "", False),
            ("1.0", "Connection: keep-alive\n", True),
        ):
            self.assertEqual(head(f"GET / HTTP/{version}\n{header}\n").keeps_alive, expected, (version, header))

    def test_headers_of_the_connection_stay_here(self):
        found = head("GET / HTTP/1.1\nHost: x\nConnection: close\nTransfer-Encoding: chunked\nExpect: 100-continue\nA: 1\nA: 2\n\n")
        self.assertEqual(wire.sent_headers(found), [("a", b"1"), ("a", b"2")])

    def test_a_greeting_is_taken_whole(self):
        greeting = wire.tls_greeting("shop.example")
        for length in range(1, len(greeting)):
            self.assertIsNone(wire.take_tls_greeting(greeting[:length]))
            self.assertIsNone(wire.take_head(greeting[:length]))
        self.assertEqual(wire.take_tls_greeting(greeting + b"GET"), ("shop.example", b"GET"))


class Bodies(unittest.TestCase):
    def test_chunks_are_joined_wherever_they_are_cut(self):
        data = b"4;x=y\r\nwool\r\n10\r\n0123456789abcdef\r\n0\r\nTrailer: 1\r\n\r\nNEXT"
        for step in range(1, len(data) + 1):
            body, found, left = wire.Chunked(), b"", b""
            for start in range(0, len(data), step):
                mine, rest = body.take(data[start : start + step])
                found, left = found + mine, left + rest
            self.assertEqual((found, left, body.done), (b"wool0123456789abcdef", b"NEXT", True), step)

    def test_a_sized_body_ends_where_the_next_request_begins(self):
        body = wire.body(head("POST / HTTP/1.1\nContent-Length: 4\n\n"))
        self.assertEqual(body.take(b"wo"), (b"wo", b""))
        self.assertFalse(body.done)
        self.assertEqual(body.take(b"olGET"), (b"ol", b"GET"))
        self.assertTrue(body.done)

    def test_a_body_that_is_framed_wrongly_is_refused(self):
        with self.assertRaises(OSError):
            wire.Chunked().take(b"wool\r\n")
        with self.assertRaises(OSError):
            wire.body(head("POST / HTTP/1.1\nContent-Length: four\n\n"))


class Answers(unittest.TestCase):
    def test_an_answer_of_known_length_is_not_framed(self):
        answer = wire.Answer(head("GET / HTTP/1.1\n\n"), 200, [("Content-Length", b"4"), ("Connection", b"close")])
        self.assertEqual(answer.head, b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n")
        self.assertEqual((answer.frame(b"wo"), answer.left, answer.frame(b"ol"), answer.left), (b"wo", 2, b"ol", 0))

    def test_an_answer_of_unknown_length_comes_in_chunks(self):
        answer = wire.Answer(head("GET / HTTP/1.0\n\n"), 299, [])
        self.assertEqual(answer.head, b"HTTP/1.1 299 \r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n")
        self.assertEqual(answer.frame(b"wool") + answer.frame(b""), b"4\r\nwool\r\n0\r\n\r\n")

    def test_some_answers_have_no_body(self):
        for method, status in (("HEAD", 200), ("GET", 204), ("GET", 304)):
            answer = wire.Answer(head(f"{method} / HTTP/1.1\n\n"), status, [("content-length", b"4")])
            self.assertFalse(answer.has_body)
            self.assertNotIn(b"chunked", answer.head)


if __name__ == "__main__":
    unittest.main()
