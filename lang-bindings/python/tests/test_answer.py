import unittest
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

from lambkin import Context, answer


class Encoding(unittest.TestCase):
    def test_writes_what_lambda_writes(self):
        self.assertEqual(answer.encode({"a": [1, None, True, "é"]}), '{"a": [1, null, true, "é"]}')
        self.assertEqual(answer.encode({"price": Decimal("1.10"), "size": Decimal(3)}), '{"price": 1.10, "size": 3}')
        self.assertEqual(answer.encode(Decimal("NaN")), "NaN")

    def test_refuses_what_json_cannot_hold(self):
        loop = []
        loop.append(loop)
        for value in (b"raw", {1, 2}, object(), loop):
            with self.assertRaisesRegex(answer.MarshalError, "Unable to marshal response: "):
                answer.encode(value)


class Failures(unittest.TestCase):
    def failure(self, error):
        try:
            raise error
        except BaseException as caught:
            return answer.failure(caught, {__file__: Path(__file__).read_text(encoding="utf-8").splitlines()})

    def test_names_the_class_and_the_frame(self):
        found = self.failure(LookupError("boom"))
        self.assertEqual((found.error_type, found.error_message), ("LookupError", "boom"))
        self.assertRegex(found.stack_trace[0], r'^File ".*test_answer.py", line \d+, in failure: raise error$')

    def test_tells_how_the_process_would_have_ended(self):
        self.assertEqual(self.failure(SystemExit(2)).error_message, "Runtime exited with error: exit status 2")
        self.assertEqual(self.failure(SystemExit()).error_type, "Runtime.ExitError")
        self.assertEqual(self.failure(SystemExit()).error_message, "Runtime exited without providing a reason")


def invocation(**members):
    function = SimpleNamespace(name="f", version="1", invoked_arn="arn", memory_mb=256, log_group="g", log_stream="s")
    values = {"request_id": "r", "deadline_ms": 0, "trace_id": None, "app": "a", "alias": "live", "release": "x", "component": "c",
              "tenant": None, "function": function, "client_context": None, "identity": None, "environment": []}
    return SimpleNamespace(**{**values, **members})


class Contexts(unittest.TestCase):
    def test_has_what_aws_documents(self):
        context = Context(invocation(identity='{"cognitoIdentityId": "i", "cognitoIdentityPoolId": "p"}'))
        self.assertEqual(context.memory_limit_in_mb, "256")
        self.assertEqual(context.identity.cognito_identity_pool_id, "p")
        self.assertIsNone(context.client_context)
        self.assertEqual(context.get_remaining_time_in_millis(), 0)

    def test_bears_a_malformed_client_context(self):
        self.assertIsNone(Context(invocation(client_context="not JSON")).client_context.client)


if __name__ == "__main__":
    unittest.main()
