"""Marks: what a model server accepts as the proof that a request has passed the authorisation."""

from __future__ import annotations

import asyncio
import unittest
from types import SimpleNamespace

from davit_server.front.app import FrontApp
from davit_server.front.marks import MarkVerifier

ENDPOINT = "models/iris-1a2b3c4d"
# Made by kubernetes/marks.ts, as the edge and the gate make them. Nobody has the private keys any more.
KEY = (
    "tt92G6h_d6Q4P2mftFnpb2cZ9QeHOPTavyXW5KuQ3wcR3NqeI9BTxNnmgKEAOfD1yML3T6BC0qn8z7agNmZtMD1So8zJ5aSso5DM"
    "GIC1oDC1XbVI7J80n501vX_skktlDJ6OxHUni5AKMJXjrRwO_tKLMxOIKp_lzCbuLKn2bV_VMKKnCquXaV4eiTM1A8zQf-DJhQ91"
    "lVp7xvDRa-NBhYjjJ6s_ZMNL_CxPzZtnhRHHVRxW6UxsHp1eg8gnBvbIndYyrPXzH7kPXaMRmNG-nahskg0WQX7-vY9iUJ1EYbW4"
    "6YkOy9NseGWCe8ZorYLoJ4fC4iaqi7isWvQAcDor-w"
)
VALID = (
    "2000000000.WQskAmv_huhiwKl1mdsv896nHxnKdcw6Sl2D698gQLAij47J_iqDs-qoX4pDR9-KP2nxpUIDPq3AfI1kuMKzTNXu2"
    "jdaaEDuWKkXIY-HUG15E_6ai1O2IwhuUt2J8qAaNp-IbUjDpSp1--ZdK6gdiRI6mfF9V-6Sf39NXrfvKqjnjA1r-A5Dics9s4FGd"
    "xC4lp4cYKDisIg1GUa07gzWGj5eXu2Aqt2pUkuu3n1rYORjsUN1f2NHZspJjdqfEgQ7CmOsJi9lXyYTjIGB0UhlInphblVlxkdwo"
    "pTu_xm93TY3AM7O8r5NgZXvmSavw3UgqhDf0Mai_Y3nNPH6Qf0xHQ"
)
EXPIRED = (
    "1000000000.CRMAyr8d4uBMAhv75Qv5gnSPvGQipsGyDp-_DYf2f7pJHj-7WzdBwL2mjcufqQ6QIu843AnbWQ66-Vc1wA93-sFWv"
    "-B7ZKP_4x3Vttv-bdsaC7OSIJlbkCcDZngR3jmFWxRHyK-9i-k2LQxipFVEWWKpfdbklc8nYUzIWDxRVFWrimCYMX0B-NZP3XL5f"
    "PuZBP-IvY1JX_w3QNYMkJR8klkXEk8ngQMTqGhJEFCOIEJ0rkHaP4H-p-fpTFkyNdjmhngueZGCq2kkYMjeI2oP2MmFprKrofWLC"
    "SFK9pofVxY_kSzB1zirnXVul3qfaySwhsXFE4iCnBvAlzdkCqsq2Q"
)
FOR_ANOTHER_ENDPOINT = (
    "2000000000.j6z_YF37IRLuTJvKZZiQ1xBQufFVm0KF6MZ0FgMFXc1tos2tSeT00X9m8TQzn9erP3hze-84jGMIjkg0BIsxv0Fh3"
    "k1XH2OOCcNaM0AzcW7eqXwc7mVLtaTypjR56diqA5tTR5yMVd4W3zlZT3i_6tl4pCddlFv3grwdz6St-hmsS2eE19lZQV71_6_y6"
    "NFAFQEGwcR3kuaV9thCkuFkhZ7k5vl5esbzt-zBmyu6V2OuiW1t0J7h9M0qAzbcE_Xoz-_6mHjNGlOrxQBnmpBEC72O1rYGCHEvd"
    "SUdIGiJoGvC5xM4W-bT-ntFa1y_znvw2RppIv0mMUVuSo50VU-FMQ"
)
OF_ANOTHER_KEY = (
    "2000000000.RLGMeQaQDB61emHuFSO6QVlECSCruznVPkQpUzrqwLMM1rXSkgVAftTVWgWCUS0oivuPCoKrybS0VF7I-G8eAHqfE"
    "f4CQ9aTvNExhThqnxwyZ0T2ZtvzAwbDfAqgHWnhAIeNTaG-25qr8silzLw4TO1wXmC7fFy7NcT7FoduJs7gfa-OL6qcTzwD4Sw6M"
    "K5MrmGiVko0L3GChE0aDqAAgvnxGK72Yl0dSeTqkOLaULG8IVHgm9sDSV_jg9xSrOQRUOEMeY1rwJ8Sg3nPxKXj-Luuo5cnv4FWD"
    "sUn5xZJPLaoL2p_Iwx_GKKWEoqb_P9Y2kOZxHq4wHzMUZqzGywrZQ"
)


def change_expiry(mark: str, expiry: int) -> str:
    return f"{expiry}.{mark.split('.')[1]}"


class Marks(unittest.TestCase):
    def setUp(self) -> None:
        self.verifier = MarkVerifier(KEY, ENDPOINT)

    def accepts(self, header: str) -> bool:
        return self.verifier.accepts(header.encode())

    def test_accepts_what_the_edge_has_signed_for_this_endpoint_again_and_again(self) -> None:
        self.assertTrue(self.accepts(VALID))
        self.assertTrue(self.accepts(VALID))

    def test_accepts_one_of_several_as_while_keys_change(self) -> None:
        self.assertTrue(self.accepts(f"{OF_ANOTHER_KEY},{VALID}"))
        self.assertTrue(self.accepts(f"{OF_ANOTHER_KEY}, {VALID}"))

    def test_refuses_everything_else(self) -> None:
        expiry, signature = VALID.split(".")
        refused = {
            "nothing": "",
            "a mark that has expired": EXPIRED,
            "a mark of another endpoint": FOR_ANOTHER_ENDPOINT,
            "a mark of another key": OF_ANOTHER_KEY,
            "another time": change_expiry(VALID, 2000000001),
            "an earlier signature with a later time": change_expiry(EXPIRED, 2000000000),
            "a time with a sign": f"+{VALID}",
            "a time with a zero before it": f"0{VALID}",
            "no signature": f"{expiry}.",
            "a short signature": f"{expiry}.{signature[:-4]}",
            "a long signature": f"{expiry}.{signature}AAAA",
            "a signature of zero": f"{expiry}.{'A' * 342}",
            "a signature above the modulus": f"{expiry}.{'_' * 341}w",
            "characters outside the alphabet": f"{expiry}.{signature[:-1]}!",
            "more marks than are read": ",".join([OF_ANOTHER_KEY] * 4 + [VALID]),
        }
        for what, header in refused.items():
            with self.subTest(what):
                self.assertFalse(self.accepts(header))

    def test_stops_accepting_a_mark_that_it_remembers(self) -> None:
        self.verifier.expiry_by_mark[VALID.encode()] = 1000000000
        self.assertFalse(self.accepts(VALID))

    def test_remembers_no_mark_that_somebody_has_made_up(self) -> None:
        for number in range(200):
            self.accepts(change_expiry(OF_ANOTHER_KEY, 2000000000 + number))
        self.assertEqual(self.verifier.expiry_by_mark, {})

    def test_takes_no_short_key(self) -> None:
        with self.assertRaises(ValueError):
            MarkVerifier(KEY[:100], ENDPOINT)


class Front(unittest.TestCase):
    def request(self, path: str, method: str, mark: str | None, key: str | None = KEY) -> int:
        settings = SimpleNamespace(served_model_name="iris", mark_key=key, mark_for=ENDPOINT)
        queue = SimpleNamespace(waiting=[])
        state = {"is_started": True, "is_loading": True, "is_stuck": False, "workers": 1}
        pool = SimpleNamespace(**state, description={}, queue=queue)
        headers = [] if mark is None else [(b"x-davit-mark", mark.encode())]
        scope = {"path": path, "method": method, "headers": [*headers, (b"content-type", b"application/json")]}
        sent = []

        async def send(message) -> None:
            sent.append(message)

        async def answer() -> None:
            await FrontApp(settings, pool)(scope, None, send)

        asyncio.run(answer())
        return sent[0]["status"]

    def test_answers_predictions_and_status_only_with_a_mark(self) -> None:
        for path, method, answer in (("/invocations", "POST", 503), ("/status", "GET", 200)):
            with self.subTest(path):
                self.assertEqual(self.request(path, method, None), 403)
                self.assertEqual(self.request(path, method, OF_ANOTHER_KEY), 403)
                self.assertEqual(self.request(path, method, VALID), answer)
                self.assertEqual(self.request(path, method, None, key=None), answer)

    def test_answers_probes_without_one(self) -> None:
        for path in ("/ping", "/health", "/ready", "/live"):
            self.assertEqual(self.request(path, "GET", None), 200)


if __name__ == "__main__":
    unittest.main()
