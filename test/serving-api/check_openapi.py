"""Judges OpenAPI documents by other people's tools: is each one valid, does it say of bodies what MLflow does of them?

Reads from standard input a list of {"signature", "document", "bodies", "answers"}, and prints one list of sentences.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from jsonschema import Draft202012Validator
from mlflow.models.utils import _enforce_schema
from mlflow.types import Schema
from mlflow.utils.proto_json_utils import dataframe_from_parsed_json, parse_tf_serving_input
from openapi_spec_validator import OpenAPIV31SpecValidator


def wrongs(case: dict[str, Any]):
    document = case["document"]
    for error in OpenAPIV31SpecValidator(document).iter_errors():
        yield f"the document: {error.message}"
    operation = document["paths"]["/invocations"]["post"]
    request = Draft202012Validator(operation["requestBody"]["content"]["application/json"]["schema"])
    answer = Draft202012Validator(operation["responses"]["200"]["content"]["application/json"]["schema"])
    schema = Schema.from_json(case["signature"]["inputs"])
    for fits, body in case["bodies"]:
        if request.is_valid(body) is not fits:
            yield f"{body}: described as {'wrong' if fits else 'right'}"
        if takes(schema, body) is not fits:
            yield f"{body}: MLflow {'refuses' if fits else 'takes'} it"
    for fits, body in case["answers"]:
        if answer.is_valid(body) is not fits:
            yield f"{body}: described as {'wrong' if fits else 'right'}"


def takes(schema: Schema, body: dict[str, Any]) -> bool:
    """What the scoring server does: the body to data, the data against the signature."""
    form = next((key for key in body if key != "params"), "")
    try:
        if form in ("inputs", "instances"):
            data = parse_tf_serving_input({form: body[form]}, schema=schema)
        else:
            data = dataframe_from_parsed_json(body[form], pandas_orient=form.removeprefix("dataframe_"), schema=schema)
        _enforce_schema(data, schema)
        return True
    except Exception:
        return False


found = [f"{case['signature']['inputs']}: {wrong}" for case in json.load(sys.stdin) for wrong in wrongs(case)]
json.dump(found, sys.stdout)
