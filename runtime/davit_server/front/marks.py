"""Marks: the proof that a request has passed the authorisation in front of the server. Only its public key is here."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import time

MARK_HEADER = b"x-davit-mark"
"""`EXPIRY.SIGNATURE`, once for each key that signs; gateways remove the header from the requests of clients."""
MARK = re.compile(rb"([1-9]\d{0,11})\.([A-Za-z0-9_-]{1,2048})")
EXPONENT = 65537
SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
SKEW_SECONDS = 60
MOST_MARKS = 4
MOST_REMEMBERED = 64


class MarkVerifier:
    """Verifies marks for one endpoint: RSASSA-PKCS1-v1_5 with SHA-256, by making the signed block and comparing it."""

    def __init__(self, key: str, audience: str) -> None:
        modulus = decode_base64(key.encode())
        self.size, self.modulus = len(modulus), int.from_bytes(modulus, "big")
        if self.size < 256:
            raise ValueError(f"The key has {self.size * 8} bits, expected 2048 or more.")
        self.audience = audience
        self.expiry_by_mark: dict[bytes, int] = {}

    def accepts(self, header: bytes) -> bool:
        marks = [mark.strip() for mark in header.split(b",", MOST_MARKS)[:MOST_MARKS]]
        return any(self.accepts_mark(mark) for mark in marks)

    def accepts_mark(self, mark: bytes) -> bool:
        expiry = self.expiry_by_mark.get(mark)
        if expiry is None:
            expiry = self.verify(mark)
            if expiry is None:
                return False
            self.remember(mark, expiry)
        return time.time() < expiry + SKEW_SECONDS

    def verify(self, mark: bytes) -> int | None:
        """Returns when a mark that was signed for this endpoint expires, in seconds since 1970."""
        found = MARK.fullmatch(mark)
        if not found:
            return None
        try:
            signature = decode_base64(found[2])
        except binascii.Error:
            return None
        number = int.from_bytes(signature, "big")
        if len(signature) != self.size or number >= self.modulus:
            return None
        expiry = int(found[1])
        hashed = SHA256_PREFIX + hashlib.sha256(f"davit-mark:1:{self.audience}:{expiry}".encode()).digest()
        block = b"\x00\x01" + b"\xff" * (self.size - len(hashed) - 3) + b"\x00" + hashed
        return expiry if pow(number, EXPONENT, self.modulus) == int.from_bytes(block, "big") else None

    def remember(self, mark: bytes, expiry: int) -> None:
        """Many requests have the same mark. Only verified marks are remembered, so nobody else can fill this."""
        while len(self.expiry_by_mark) >= MOST_REMEMBERED:
            del self.expiry_by_mark[next(iter(self.expiry_by_mark))]
        self.expiry_by_mark[mark] = expiry


def decode_base64(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
