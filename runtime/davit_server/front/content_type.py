"""Reads the content type and the content encoding of a request."""

from __future__ import annotations

from ..protocol.wire import KINDS

TEXT = b"text/plain; charset=utf-8"
TYPES = {"text/csv": "csv", "application/json": "json", "application/vnd.apache.parquet": "parquet"}


def find_encoding_fault(content_encoding: str) -> str:
    """Returns a sentence for a 415, or "". MLflow's server does not decode bodies either."""
    if content_encoding.strip().lower() in ("", "identity"):
        return ""
    return "The scoring server does not decode bodies: send the body without a content encoding"


def parse_content_type(content_type: str) -> tuple[int, str]:
    """Returns the index in KINDS and "", or 0 and MLflow's sentence for a 415."""
    mime, *pairs = (part.strip() for part in content_type.split(";"))
    parameters = {key.lower(): value for key, _, value in (pair.partition("=") for pair in pairs if pair)}
    if parameters.pop("charset", "utf-8").strip('"').lower() != "utf-8":
        return 0, "The scoring server only supports UTF-8"
    if parameters:
        return 0, f"Unrecognized content type parameters: {', '.join(parameters)}."
    if mime.lower() not in TYPES:
        types = f"Types: {list(TYPES)}. Got '{content_type}'."
        return 0, f"This predictor only supports the following content types: {types}"
    return KINDS.index(TYPES[mime.lower()]), ""
