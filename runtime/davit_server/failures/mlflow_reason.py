"""Extracts MLflow's reason for refusing an input: names, types and shapes, never a value that was sent.

MLflow's messages quote the whole input. So a sentence is kept only when its beginning is known (2.10 to 3.17), and only
up to the first value. An exception that MLflow wraps is read from the chain of exceptions, never from a quotation.
Names of columns, properties and parameters are kept, also those that the client invented: they say what to change.
"""

from __future__ import annotations

import re
import traceback

from .root_cause import MOST_LINKS, is_mlflow

MESSAGE_CHARACTERS = 500
MOST_SENTENCES = 5
NAME_CHARACTERS = 80

WHOLE = (
    "Model is missing inputs",
    "Model inference is missing inputs",
    "The input column ",
    "Missing required properties",
    "Invalid properties not defined in the schema found",
    "Shape of input ",
    "dtype of input ",
    "Incompatible input types for column ",
    "Expected data to be ",
    "Expected all keys in the map",
    "Expected input to be DataFrame",
    "Expected list, but got ",
    "Expected dict, but got ",
    "Expected type ",
    "Expecting example to be a dictionary",
    "Failed to enforce schema for key ",
    "Failed to convert column ",
    "This model contains a tensor-based",
    "This model contains a model signature with an unnamed input",
    "Failed to parse input data. This model contains an un-named",
    "Because the model signature requires tensor spec",
    "The value in the Input DataFrame column ",
    "The input pandas dataframe column ",
    "For pandas dataframe input",
    "Input DataFrame is empty",
    "Input schema validation failed",
    "Failed to enforce model input schema",
    "Dataframe split format must",
    "Dataframe records format must",
    "The length of values for each input",
    '"signature_name" parameter',
    'One of "instances" and "inputs" must',
    "Parameters must be a dictionary",
    "Unsupported model input type",
    "Shape must be None for scalar",
    "Value must be a 1D array",
)
"""Beginnings of MLflow's sentences that contain only names, types and shapes."""

CUT = {
    "Please ensure that the input data of datetime column": " Error:",
    "Data is not compatible with model signature": " Error:",
    "This model contains a column-based signature": ": ",
    "Provided dataframe_": " Error:",
    "Ensure that the input is a valid JSON": "\n",
    "Can not safely convert ": " for value",
    "Value must be a scalar": ", got",
    "Failed to validate data against type hint": ", invalid elements",
    "Failed to validate the input data against the type hint": " Error:",
    "Data doesn't match type hint": ", error",
    "Failed to validate type and shape for": ", error",
}
"""Beginnings of sentences, each with the text before which it is cut because a value follows."""

AFTER = {
    "Failed to enforce schema of '": ("Expected data to be dictionary, got ", "Expected data to be dictionary, got "),
    "Failed to enforce schema of data `": (" with dtype `", "Expected dtype "),
    "Failed to convert data type for data `": (" with spec `", "Expected data that fits "),
    "Failed to convert data `": (" to type `", "Expected data that fits "),
    "Failed to convert value `": (" to `", "Expected a value that can be converted to "),
}
"""Beginnings of sentences that quote the value first: the words before the type, and the replacement for them."""

TYPE = re.compile(r"[\w.<>\[\]{}()=, :-]{1,200}")
STANDARD = re.compile(
    r"missing|_type$|_parsing$|^literal_error$|^enum$|_than|_than_equal$|^finite_number$|^(?:string|too)_|forbidden$"
)
"""Types of Pydantic errors whose messages contain what is expected and no value."""

WRAPPING = ("Failed to enforce schema of data '", "Invalid parameters found")
PREFIX = "Invalid input. "

CHECKS = (
    "_convert_data_to_type_hint",
    "_convert_input",
    "_enforce_params_schema",
    "_enforce_schema",
    "_validate_model_input",
    "_validate_params",
    "_validate_prediction_input",
)
"""MLflow's functions that check the input before the model runs."""
PLAIN = (
    re.compile(r"\d{1,12} columns passed, passed data had \d{1,12} columns"),
    re.compile(r"Shape of passed values is \([\d, ]{1,40}\), indices imply \([\d, ]{1,40}\)"),
    re.compile(r"Length of values \(\d{1,12}\) does not match length of index \(\d{1,12}\)"),
    re.compile(r"All arrays must be of the same length"),
    re.compile(r"Per-column arrays must each be 1-dimensional"),
    re.compile(r"If using all scalar values, you must pass an index"),
    re.compile(r"Cannot convert non-finite values \(NA or inf\) to integer"),
    re.compile(r"No columns to parse from file"),
    re.compile(r"(?:Error tokenizing data\. C error: )?Expected \d{1,12} fields in line \d{1,12}, saw \d{1,12}"),
    re.compile(r"Integer column has NA values in column \d{1,12}"),
    re.compile(r"Incorrect padding"),
    re.compile(r"Parquet magic bytes not found in footer"),
)
"""Messages of pandas, NumPy and others that contain no value."""


def extract_reason(error: BaseException) -> str:
    """Returns the safe sentences of MLflow's exception and of those that it wraps, outermost first; may be empty."""
    links = list_chain(error)
    found: list[str] = []
    for link in links:
        sentence = extract_safe_sentence(link)
        if sentence and not any(sentence in other for other in found):
            found.append(sentence)
    if len(found) > MOST_SENTENCES:
        found = [found[0], "…", *found[1 - MOST_SENTENCES :]]
    prefix = PREFIX if found and str(getattr(error, "message", "")).startswith(PREFIX) else ""
    text = prefix + add_column(links, " ".join(found))
    return text if len(text) <= MESSAGE_CHARACTERS else f"{text[:MESSAGE_CHARACTERS]}…"


def add_column(links: list[BaseException], text: str) -> str:
    """Adds the column, and the type when `text` is empty, where MLflow's sentences lack them."""
    name = next(filter(has_value, (read_local(link, "_enforce_named_col_schema", "name") for link in links)), None)
    spec = next(filter(has_value, (read_local(link, "convert_data_type", "spec") for link in links)), None)
    if spec is not None:
        text = text or f"Expected {getattr(spec.type, 'name', spec.type)}."
        values = next(filter(has_value, (read_local(link, "convert_data_type", "data") for link in links)), None)
        is_table = isinstance(values, list) and any(isinstance(row, list) for row in values)
        name = None if is_table else spec.name  # for a whole table, MLflow has only the first column's type
    said = (f'"{name}"', f"'{name}'", f"`{name}`", f"column {name} ", f"column {name}.")
    return text if name is None or not text or any(way in text for way in said) else f'Column "{name}": {text}'


def has_value(value: object) -> bool:
    return value is not None


def is_about_input(error: BaseException) -> bool:
    """Says whether MLflow, or Pydantic for MLflow, raised the error while it checked the input, before the model ran.

    MLflow gives some of these errors the status 500, and some no status at all.
    """
    for link in list_chain(error):
        frames = [frame.f_code for frame, _ in traceback.walk_tb(link.__traceback__)]
        checks = [i for i, code in enumerate(frames) if code.co_name in CHECKS and is_mlflow(code.co_filename)]
        if checks:
            return True
    return False


def extract_safe_sentence(error: BaseException) -> str:
    """Returns the part of one exception's message that contains no value; may be empty."""
    if hasattr(error, "error_code"):
        return extract_safe_part(error.message) + describe_invalid_item(error) or describe_invalid_parameters(error)
    if callable(getattr(error, "errors", None)) and type(error).__module__.startswith("pydantic"):
        return describe_invalid_fields(error)
    plain = next((found for found in (known.match(str(error)) for known in PLAIN) if found), None)
    return finish_sentence(plain[0]) if plain else ""


def extract_safe_part(message: str) -> str:
    """Returns the part of one of MLflow's messages that contains no value; may be empty."""
    if message.startswith(PREFIX):
        message = message[len(PREFIX) :]
    if message.startswith(WRAPPING):
        return ""
    for beginning, end in CUT.items():
        if message.startswith(beginning):
            return finish_sentence(message.partition(end)[0])
    for beginning, (before, words) in AFTER.items():
        if message.startswith(beginning):
            kind = TYPE.match(message.rpartition(before)[2])
            return finish_sentence(words + kind[0]) if kind else ""
    return finish_sentence(message) if message.startswith(WHOLE) else ""


def describe_invalid_parameters(error: BaseException) -> str:
    """Reads the messages about parameters from the set that MLflow had before it joined them into one text."""
    invalid = read_local(error, "_enforce_params_schema", "invalid_params")
    if not isinstance(invalid, set) or not invalid:
        return ""
    messages = {
        name: extract_safe_part(message.rpartition(", error: ")[2]) or extract_safe_part(message)
        for name, message in invalid
    }
    reasons = [f'"{name}": {why or "It cannot be used."}' for name, why in messages.items()]
    return f"Invalid parameters: {' '.join(sorted(reasons))}"


def describe_invalid_item(error: BaseException) -> str:
    """Checks a list's first item that does not fit its type hint again, because MLflow's text about it has values."""
    function = "_validate_list_elements"
    check, items = (read_local(error, function, name) for name in ("_validate_data_against_type_hint", "data"))
    if not callable(check) or not isinstance(items, list):
        return ""
    for place, item in enumerate(items):
        try:
            check(item, read_local(error, function, "element_type"))
        except Exception as inner:
            why = extract_reason(inner)
            return f" Item {place}: {why}" if why else ""
    return ""


def describe_invalid_fields(error) -> str:
    """Returns Pydantic's messages about the first fields, without those of validators, which may contain the value."""
    found = error.errors()[:MOST_SENTENCES]
    messages = [
        (format_field_path(one["loc"]), one["msg"] if STANDARD.search(one["type"]) else "not valid") for one in found
    ]
    return finish_sentence("; ".join(f'"{place}": {words}' for place, words in messages))


def format_field_path(parts: tuple) -> str:
    """Returns a path such as `input.0.content`, without the names of Pydantic's own validators."""
    return ".".join(str(part) for part in parts if "[" not in str(part))[:NAME_CHARACTERS]


def finish_sentence(sentence: str) -> str:
    """Ends a sentence with a full stop and limits its length."""
    text = sentence.strip().rstrip(".:").replace(" for column . ", ". ")
    return f"{text[:MESSAGE_CHARACTERS]}." if text else ""


def list_chain(error: BaseException) -> list[BaseException]:
    """Returns the exception and those that it was raised from, or while handling, outermost first."""
    links = [error]
    while len(links) < MOST_LINKS:
        inner = links[-1].__cause__ or links[-1].__context__
        if inner is None:
            break
        links.append(inner)
    return links


def read_local(error: BaseException, function: str, name: str) -> object:
    """Returns a variable of one of MLflow's functions in the traceback; None when that function is not in it."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_name == function and is_mlflow(frame.f_code.co_filename):
            return frame.f_locals.get(name, frame.f_globals.get(name))
    return None
