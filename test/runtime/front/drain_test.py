"""How long a server that is asked to end finishes its requests."""

from __future__ import annotations

import unittest
from argparse import Namespace

from davit_server.front.drain import Drain


class Draining(unittest.TestCase):
    def find_grace(self, grace):
        settings = Namespace(grace=grace, time_limit=4.0)
        return Drain(settings, None, Namespace(longest_wait_seconds=22.0), None).grace_seconds

    def test_a_request_may_wait_for_others_and_then_take_its_time_limit(self):
        self.assertEqual(self.find_grace(None), 26)

    def test_the_option_goes_before(self):
        self.assertEqual((self.find_grace(0.0), self.find_grace(2.0)), (0, 2))


if __name__ == "__main__":
    unittest.main()
