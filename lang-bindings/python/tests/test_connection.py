import unittest

from lambkin import wire
from lambkin.connection import Connection, HungUp


class Exchange:
    """An exchange with a server whose moves the test makes."""

    def __init__(self, target, head):
        self.origin, self.request = f"{target.scheme}://{target.authority}", head
        self.sent, self.finished, self.closed = b"", False, False
        self.room, self.answer, self.pieces = 1 << 20, None, []

    def write(self, data):
        if self.room < 0:
            raise BrokenPipeError
        self.sent += data[: self.room]
        return min(self.room, len(data))

    def finish(self):
        self.finished = True

    def head(self):
        if isinstance(self.answer, OSError):
            raise self.answer
        return self.answer

    def read(self, size):
        piece = self.pieces.pop(0) if self.pieces else None
        if isinstance(piece, OSError):
            raise piece
        return piece

    def writable(self):
        pass

    def readable(self):
        pass

    def close(self):
        self.closed = True


class Case(unittest.TestCase):
    def setUp(self):
        self.exchanges = []
        self.connection = Connection(self.open, "shop.example", 80, None)

    def open(self, target, head):
        self.exchanges.append(Exchange(target, head))
        return self.exchanges[-1]

    def read_all(self):
        found = b""
        while data := self.connection.receive(7):
            found += data
        return found


class Requests(Case):
    def test_a_body_goes_out_as_it_is_written(self):
        self.connection.send(b"POST /a HTTP/1.1\r\nHost: Shop.example\r\nContent-")
        self.assertEqual(self.exchanges, [])
        self.connection.send(b"Length: 8\r\n\r\nwool")
        (exchange,) = self.exchanges
        self.assertEqual((exchange.origin, exchange.sent, exchange.finished), ("http://shop.example", b"wool", False))
        self.connection.send(b"wool")
        self.assertEqual((exchange.sent, exchange.finished), (b"woolwool", True))

    def test_a_connection_serves_one_request_after_another(self):
        get = b"GET / HTTP/1.1\r\n\r\n"
        self.connection.send(get + get)
        self.assertEqual(len(self.exchanges), 1, "the second waits for the first's answer")
        self.exchanges[0].answer = (200, [("content-length", b"4")])
        self.exchanges[0].pieces = [b"wool"]
        self.assertTrue(self.read_all().endswith(b"\r\n\r\nwool"))
        self.assertTrue(self.exchanges[0].closed)
        self.assertEqual(len(self.exchanges), 2)
        self.exchanges[1].answer = (204, [])
        self.assertEqual(self.read_all(), b"HTTP/1.1 204 No Content\r\n\r\n")
        self.assertTrue(self.connection.idle)

    def test_an_answer_to_the_last_request_ends_the_connection(self):
        self.connection.send(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        self.assertIsNone(self.connection.receive(9))
        self.exchanges[0].answer = (200, [])
        self.exchanges[0].pieces = [b"wool", b""]
        self.assertTrue(self.read_all().endswith(b"4\r\nwool\r\n0\r\n\r\n"))
        self.assertEqual(self.connection.receive(9), b"")
        with self.assertRaises(BrokenPipeError):
            self.connection.send(b"GET")

    def test_no_room_is_not_an_end(self):
        self.connection.send(b"POST / HTTP/1.1\r\nContent-Length: 8\r\n\r\n")
        exchange = self.exchanges[0]
        exchange.room = 0
        self.assertEqual(self.connection.send(b"wool"), 4)
        self.assertIsNone(self.connection.send(b"wool"))
        self.assertEqual(self.connection.writable(), [exchange.writable])
        exchange.room = 3
        self.assertEqual(self.connection.send(b"wool"), 4)
        self.assertEqual((exchange.sent, exchange.finished), (b"woolwool", True))

    def test_a_reader_has_the_rest_of_the_request_sent(self):
        self.connection.send(b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n")
        exchange = self.exchanges[0]
        exchange.room = 0
        self.connection.send(b"wool")
        self.assertFalse(self.connection.reach())
        self.assertEqual(self.connection.readable(), [exchange.readable, exchange.writable])
        exchange.room = 9
        self.assertIsNone(self.connection.receive(9))
        self.assertEqual((exchange.sent, exchange.finished), (b"wool", True))
        self.assertEqual(self.connection.readable(), [exchange.readable])

    def test_a_client_that_asks_may_continue(self):
        self.connection.send(b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        self.assertIsNone(self.connection.readable())
        self.assertEqual(self.read_all(), b"HTTP/1.1 100 Continue\r\n\r\n")
        self.connection.send(b"wool")
        self.assertEqual(self.exchanges[0].sent, b"wool")

    def test_a_greeting_makes_it_https(self):
        connection = Connection(self.open, "shop.example", 443, None)
        connection.send(wire.tls_greeting("SHOP.example"))
        connection.send(b"GET / HTTP/1.1\r\nHost: shop.example:443\r\n\r\n")
        self.assertEqual(self.exchanges[0].origin, "https://shop.example")
        other = Connection(self.open, "10.0.0.1", 443, None)
        with self.assertRaisesRegex(OSError, "connect to the name itself"):
            other.send(wire.tls_greeting("shop.example"))

    def test_what_the_host_would_take_for_something_else_is_refused(self):
        for request, reason in (
            (b"GET / HTTP/1.1\r\nHost: other.example\r\n\r\n", "names other.example"),
            (b"GET http://other.example/ HTTP/1.1\r\n\r\n", "through a proxy"),
            (b"CONNECT other.example:443 HTTP/1.1\r\n\r\n", "through a proxy"),
        ):
            connection = Connection(self.open, "shop.example", 80, None)
            with self.assertRaisesRegex(OSError, reason):
                connection.send(request)
        self.assertEqual(self.exchanges, [])


class Failures(Case):
    def test_a_server_out_of_reach_fails_the_writer(self):
        self.connection.send(b"GET / HTTP/1.1\r\n\r\n")
        self.assertFalse(self.connection.reach())
        self.exchanges[0].answer = ConnectionRefusedError("no")
        with self.assertRaises(ConnectionRefusedError):
            self.connection.reach()
        with self.assertRaises(ConnectionRefusedError):
            self.connection.receive(9)

    def test_a_writer_learns_why_nobody_listens(self):
        self.connection.send(b"POST / HTTP/1.1\r\nContent-Length: 8\r\n\r\n")
        self.exchanges[0].room = -1
        self.exchanges[0].answer = PermissionError("not granted")
        with self.assertRaisesRegex(PermissionError, "not granted"):
            self.connection.send(b"wool")

    def test_an_early_answer_can_be_read(self):
        self.connection.send(b"POST / HTTP/1.1\r\nContent-Length: 8\r\n\r\n")
        self.exchanges[0].room = -1
        self.exchanges[0].answer = (413, [("content-length", b"0")])
        with self.assertRaises(BrokenPipeError):
            self.connection.send(b"wool")
        self.assertTrue(self.read_all().startswith(b"HTTP/1.1 413 "))

    def test_an_early_answer_can_be_read_while_there_is_no_room(self):
        self.connection.send(b"POST / HTTP/1.1\r\nContent-Length: 8\r\n\r\n")
        self.exchanges[0].room = 0
        self.connection.send(b"woolwool")
        self.exchanges[0].room = -1
        self.exchanges[0].answer = (413, [("content-length", b"0")])
        self.assertTrue(self.connection.reach())
        self.assertTrue(self.read_all().startswith(b"HTTP/1.1 413 "))

    def test_a_server_that_hangs_up_is_an_end_to_the_reader(self):
        for pieces in ([b"wo", HungUp()], [b"wo", b""]):
            connection = Connection(self.open, "shop.example", 80, None)
            connection.send(b"GET / HTTP/1.1\r\n\r\n")
            self.exchanges[-1].answer = (200, [("content-length", b"4")])
            self.exchanges[-1].pieces = pieces
            found = b"".join(iter(lambda: connection.receive(99), b""))
            self.assertTrue(found.endswith(b"\r\n\r\nwo"))


if __name__ == "__main__":
    unittest.main()
