import os
import sys
import unittest

from lambkin.snapshot import App, Modules, Reads


def reads(text):
    code = compile(text, "app.py", "exec")
    found = Reads({"app.py"})
    with found:
        exec(code, {})
    return found


class Snapshots(unittest.TestCase):
    def setUp(self):
        os.environ.pop("LAMBKIN_TEST", None)

    def test_holds_while_the_environment_stays(self):
        found = reads("import os\nx = os.environ.get('LAMBKIN_TEST', '')\ny = os.getenv('LAMBKIN_TEST')")
        self.assertEqual(found.missing(), ["LAMBKIN_TEST"])
        self.assertTrue(found.still_hold())
        os.environ["LAMBKIN_TEST"] = "1"
        self.assertFalse(found.still_hold())

    def test_does_not_hold_after_a_look_at_everything(self):
        self.assertFalse(reads("import os\nx = dict(os.environ)").still_hold())

    def test_does_not_hold_after_clock_or_chance(self):
        for text in ("import time\ntime.time()", "import random\nrandom.random()", "import os\nos.urandom(1)",
                     "import uuid\nuuid.uuid4()", "from datetime import datetime\ndatetime.now()"):
            self.assertFalse(reads(text).still_hold(), text)
        self.assertTrue(reads("import datetime\ndatetime.datetime(2020, 1, 1)").still_hold())

    def test_runs_the_modules_again_when_it_must(self):
        modules = Modules("/nowhere")
        code = compile("import os\ndef handler(): return GREETING\nGREETING = os.environ.get('LAMBKIN_TEST')", "shop.py", "exec")
        modules.add("lambkin_test_shop", code, "shop.py", package=False)
        app = App(modules, "lambkin_test_shop", "handler")
        sys.meta_path.insert(0, modules)
        try:
            found = Reads({"shop.py"})
            with found:
                app.loaded = app.load()
            app.reads = found
            os.environ["LAMBKIN_TEST"] = "now"
            self.assertEqual(app.handler()(), "now")
            self.assertIsNone(app.reads)
        finally:
            sys.meta_path.remove(modules)
            modules.forget()


if __name__ == "__main__":
    unittest.main()
