import unittest

from lambkin.tls import _module


class StandIn(unittest.TestCase):
    def test_takes_settings_and_opens_nothing(self):
        ssl = _module()
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_default_certs()
        self.assertEqual((ssl.CERT_REQUIRED, ssl.PROTOCOL_TLS_CLIENT, ssl.HAS_SNI), (0, 0, 0))
        with self.assertRaisesRegex(ssl.SSLError, "no TLS connection of its own"):
            context.wrap_socket(None)
        with self.assertRaises(AttributeError):
            ssl.something_else


if __name__ == "__main__":
    unittest.main()
