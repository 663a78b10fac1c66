"""Finds a version of a registered model: by its number, an alias, a stage or as the latest."""

import contextlib
import difflib
import re
from datetime import datetime, timezone

# ASCII alone: a diagnostic shows no other name, and an endpoint file cannot have another alias.
NAME = re.compile(r"[\w.-]{1,200}", re.ASCII)
PERSON = re.compile(r"[\w.@+-]{1,100}")
MAX_LISTED = 20
MAX_NEAR = 3
MAX_NAMES = 1000
MAX_CARD_FIELDS = 30
MAX_CARD_CHARACTERS = 200


class Unavailable(Exception):
    """The registry answers, and has no such version, or has it not yet."""

    def __init__(self, reason: dict):
        super().__init__(reason["kind"])
        self.reason = reason


def find(uri: str):
    """What the registry says about the version that `models:/NAME/VERSION`, `/STAGE` or `@ALIAS` names."""
    parsed = parse(uri)
    if parsed is None:
        return None
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient()
    name, target, is_alias = parsed
    try:
        return describe(locate(client, name, target, is_alias))
    except MlflowException as error:
        if is_hidden(client, error):
            raise Unavailable({"kind": "no-model", "near": list_near(client, name), "hidden": True}) from None
        if not is_missing(error):
            raise
    raise Unavailable(explain(client, name, target, is_alias))


def is_hidden(client, error) -> bool:
    """Whether the credentials are valid, but not for this model. Some registries say so of a model that they lack."""
    if getattr(error, "error_code", "") != "PERMISSION_DENIED":
        return False
    try:
        client.search_registered_models(max_results=1)
    except Exception:
        return False
    return True


def parse(uri: str):
    path = uri.removeprefix("models:").strip("/") if uri.startswith("models:/") else ""
    if "@" in path:
        name, _, alias = path.rpartition("@")
        return name, alias, True
    name, _, target = path.rpartition("/")
    return (name, target, False) if name else None


def locate(client, name: str, target: str, is_alias: bool):
    if is_alias:
        found = client.get_model_version_by_alias(name, target)
        # A server may leave out what only the version itself has.
        return client.get_model_version(name, str(found.version))
    if target.isdecimal():
        return client.get_model_version(name, target)
    versions = list_versions(client, name)
    if target.lower() != "latest":
        versions = [v for v in versions if str(v.current_stage or "none").lower() == target.lower()]
    if not versions:
        raise Unavailable(explain(client, name, target, is_alias))
    return max(versions, key=lambda v: int(v.version))


def is_missing(error) -> bool:
    code = str(getattr(error, "error_code", ""))
    return (
        code in ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND")
        or code.endswith("_DOES_NOT_EXIST")
        or "not found" in str(error).lower()
    )


def list_versions(client, name: str) -> list:
    return [
        v for v in client.search_model_versions("name='{}'".format(name.replace("'", ""))) if str(v.version).isdecimal()
    ]


def describe(version) -> dict:
    person = str(version.user_id or "")
    return {
        "version": str(int(version.version)),
        "status": str(version.status or "READY"),
        "registered": render_time(version.creation_timestamp),
        "by": person if PERSON.fullmatch(person) else None,
    }


def read_card(uri: str) -> dict:
    """What reviewers want to know about a version: who registered it, its description, and its run's metrics."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient()
    version = locate(client, *parse(uri))
    run = None
    if version.run_id:
        with contextlib.suppress(MlflowException):  # the account may read the model and not its experiment
            run = client.get_run(version.run_id)
    return {
        "by": cut(version.user_id or (run and run.info.user_id)),
        "registered": render_time(version.creation_timestamp),
        "description": cut(version.description),
        "aliases": [cut(a) for a in list(version.aliases or [])[:MAX_CARD_FIELDS]],
        "tags": cut_fields(version.tags),
        "run": cut(version.run_id),
        "run_name": cut(run and run.info.run_name),
        "experiment": cut(run and run.info.experiment_id),
        "metrics": cut_fields(run and run.data.metrics),
        "params": cut_fields(run and run.data.params),
    }


def cut(value):
    """Anybody who may register a model writes these texts."""
    return str(value)[:MAX_CARD_CHARACTERS] if value else None


def cut_fields(fields) -> dict:
    names = [name for name in sorted(dict(fields or {})) if not name.startswith("mlflow.")]
    return {name[:MAX_CARD_CHARACTERS]: str(fields[name])[:MAX_CARD_CHARACTERS] for name in names[:MAX_CARD_FIELDS]}


def require_ready(found: dict) -> None:
    if found["status"] not in ("READY", "MODEL_VERSION_STATUS_UNKNOWN"):
        status = found["status"] if re.fullmatch(r"[A-Z_]{1,60}", found["status"]) else "UNKNOWN"
        raise Unavailable({"kind": "pending", "version": found["version"], "status": status})


def render_time(milliseconds):
    if not milliseconds:
        return None
    return datetime.fromtimestamp(int(milliseconds) / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def explain(client, name: str, target: str, is_alias: bool) -> dict:
    """Why there is no such version: the model, the version or the alias is missing. Says what is there instead."""
    from mlflow.exceptions import MlflowException

    try:
        model = client.get_registered_model(name)
    except MlflowException as error:
        if not is_missing(error):
            raise
        return {"kind": "no-model", "near": list_near(client, name), "hidden": False}
    if is_alias:
        aliases = {str(a): str(v) for a, v in dict(model.aliases or {}).items() if NAME.fullmatch(str(a))}
        return {"kind": "no-alias", "aliases": dict(sorted(aliases.items())[:MAX_LISTED])}
    versions = sorted(int(v.version) for v in list_versions(client, name))
    return {"kind": "no-version", "count": len(versions), "versions": [str(v) for v in versions[-MAX_LISTED:]]}


def list_near(client, name: str) -> list:
    """Only names that nearly match, so that nobody lists a registry with a pull request."""
    try:
        names = [m.name for m in client.search_registered_models(max_results=MAX_NAMES)]
    except Exception:  # it may be forbidden to list, and a catalog cannot filter
        return []
    near = difflib.get_close_matches(name, names, n=MAX_NEAR, cutoff=0.7)
    return [n for n in near if NAME.fullmatch(n)]
