"""A process group that ends with the other end of a socket. Uses only the standard library."""

import os
import signal
import socket
import sys
import time
import unittest

from davit_server.processes.process_tree import end_group_with


@unittest.skipUnless(sys.platform.startswith("linux"), "only the kernel of Linux does this")
class EndGroupWith(unittest.TestCase):
    def test_the_group_is_killed_when_the_other_end_closes_and_not_before(self):
        ours, front = socket.socketpair()
        child = os.fork()
        if child == 0:
            ours.close()
            os.setsid()
            end_group_with(front.fileno())
            time.sleep(600)
            os._exit(0)
        front.close()
        time.sleep(0.2)
        self.assertEqual(os.waitpid(child, os.WNOHANG), (0, 0))
        ours.close()
        _, status = os.waitpid(child, 0)
        self.assertEqual(os.WTERMSIG(status), signal.SIGKILL)

    def test_a_group_whose_other_end_has_closed_already_is_killed_at_once(self):
        ours, front = socket.socketpair()
        ours.close()
        child = os.fork()
        if child == 0:
            os.setsid()
            end_group_with(front.fileno())
            os._exit(0)
        front.close()
        _, status = os.waitpid(child, 0)
        self.assertEqual(os.WTERMSIG(status), signal.SIGKILL)


if __name__ == "__main__":
    unittest.main()
