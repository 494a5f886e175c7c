import unittest
import weakref

from lambkin import objects


class Plain:
    pass


class Closing(Plain):
    def __del__(self):
        pass


class Heir(Closing):
    pass


class Lazy:
    """Stands for an object that is made when somebody asks it for anything."""

    def __getattribute__(self, name):
        raise RuntimeError(f"made for {name}")


class Odd(type):
    def __getattr__(cls, name):
        raise RuntimeError(f"asked for {name}")


class OddlyMade(metaclass=Odd):
    pass


class Objects(unittest.TestCase):
    def test_what_has_a_finalizer_may_not_stay(self):
        self.assertTrue(objects._may_stay(Plain()))
        for one in (Closing(), Heir(), (number for number in ())):
            self.assertFalse(objects._may_stay(one), one)

    def test_what_somebody_waits_for_may_not_stay(self):
        one = Plain()
        self.assertTrue(objects._may_stay(one))
        reference = weakref.ref(one)
        self.assertFalse(objects._may_stay(one))
        del reference

    def test_types_stay_whatever_holds_them(self):
        self.assertGreater(weakref.getweakrefcount(Plain), 0)
        for one in (Plain, Closing, OddlyMade):
            self.assertTrue(objects._may_stay(one))

    def test_no_object_is_asked(self):
        for one in (Lazy(), OddlyMade()):
            self.assertTrue(objects._may_stay(one))


if __name__ == "__main__":
    unittest.main()
