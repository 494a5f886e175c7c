import unittest

from lambkin import wire
from lambkin.tls import _module


class StandIn(unittest.TestCase):
    def setUp(self):
        self.ssl = _module()

    def test_takes_the_settings_that_the_host_sees_to(self):
        ssl = self.ssl
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_default_certs()
        context.load_verify_locations("/2/certifi/cacert.pem")
        self.assertEqual(context.verify_mode, ssl.CERT_REQUIRED)
        self.assertEqual((ssl.PROTOCOL_TLS_CLIENT, ssl.OP_NO_COMPRESSION, ssl.HAS_SNI), (0, 0, True))
        with self.assertRaises(AttributeError):
            ssl.something_else

    def test_refuses_what_would_be_missed(self):
        context = self.ssl.SSLContext(self.ssl.PROTOCOL_TLS_CLIENT)
        with self.assertRaisesRegex(self.ssl.SSLError, "no client certificates"):
            context.load_cert_chain("client.pem")
        with self.assertRaisesRegex(self.ssl.SSLError, "Mozilla's authorities, none of a component's own"):
            self.ssl.create_default_context(cafile="/tmp/own.pem")
        with self.assertRaisesRegex(self.ssl.SSLError, "serves no TLS"):
            context.wrap_bio(self.ssl.MemoryBIO(), self.ssl.MemoryBIO(), server_side=True)

    def test_an_object_greets_once_and_passes_bytes_on(self):
        incoming, outgoing = self.ssl.MemoryBIO(), self.ssl.MemoryBIO()
        stream = self.ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="shop.example")
        stream.do_handshake()
        stream.write(b"GET")
        stream.do_handshake()
        self.assertEqual(outgoing.read(), wire.tls_greeting("shop.example") + b"GET")
        with self.assertRaises(self.ssl.SSLWantReadError):
            stream.read(9)
        incoming.write(b"wool")
        incoming.write_eof()
        self.assertEqual((stream.read(2), stream.read(9), stream.read(9)), (b"wo", b"ol", b""))
        self.assertEqual(stream.getpeercert(), {"subjectAltName": (("DNS", "shop.example"),)})


if __name__ == "__main__":
    unittest.main()
