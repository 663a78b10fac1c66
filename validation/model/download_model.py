"""Downloads a model with MLflow, or resolves an alias or stage to a version. Runs in a virtualenv of mlflow-skinny.

python download_model.py --download POLICY URI FOLDER
python download_model.py --resolve POLICY URI

POLICY is JSON: `sources`, the URIs that are allowed besides what the tracking server keeps itself. The last line of
standard error is JSON with the reason of a failure. It never repeats what a server has answered, because the reader
of a pull request is not always somebody who may query that server.
"""

import json
import os
import shutil
import sys
from urllib.parse import urlsplit

# Buckets have no host: the environment says which service they are in.
STORES = ("s3", "gs", "dbfs")
NAMES = ("models", "runs")
SAFE_HEADERS = ("accept", "accept-encoding", "connection", "range", "user-agent")
PORTS = {"http": 80, "https": 443}
# What requests calls errors of the connection. Compared by name, because MLflow replaces them with its own.
UNREACHABLE = (
    "ConnectionError",
    "ConnectTimeout",
    "Timeout",
    "ReadTimeout",
    "SSLError",
    "ProxyError",
    "NewConnectionError",
)
UNREACHABLE_TEXT = ("Max retries exceeded", "Connection refused", "timed out", "Failed to resolve")


class Refused(Exception):
    """A source that the policy does not allow."""


def main() -> int:
    action, policy, uri, *rest = sys.argv[1:]
    try:
        guard(json.loads(policy)["sources"])
        if action == "--resolve":
            print(resolve(uri))
        else:
            download(uri, rest[0])
    except Exception as error:
        print(json.dumps(describe(error)), file=sys.stderr)
        return 1
    return 0


def describe(error: BaseException) -> dict:
    """What kind of failure it is, without a word of any server."""
    seen = []
    while error is not None and error not in seen:
        seen.append(error)
        error = error.__cause__ or error.__context__
    for e in seen:
        if isinstance(e, Refused):
            return {"kind": "refused", "source": str(e)}
    for e in seen:
        if isinstance(e, ImportError):
            return {"kind": "package", "package": str(e.name or "")}
    for e in seen:
        status, code = status_of(getattr(e, "response", None)), getattr(e, "error_code", None)
        if status in (401, 403) or code in ("PERMISSION_DENIED", "UNAUTHENTICATED"):
            return {"kind": "denied"}
        if status == 404 or code in ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"):
            return {"kind": "missing"}
    names = [type(e).__name__ for e in seen]
    text = " ".join(str(e) for e in seen)
    if any(n in UNREACHABLE for n in names) or any(t in text for t in UNREACHABLE_TEXT):
        return {"kind": "unreachable"}
    if any(isinstance(e, OSError) and e.errno == 2 for e in seen) or "No such artifact" in text:
        return {"kind": "missing"}
    return {"kind": "failed", "error": names[0]}


def status_of(response) -> int:
    """The HTTP status in an error of requests, or of boto3, whose response is a dictionary."""
    if isinstance(response, dict):
        return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    return int(getattr(response, "status_code", 0) or 0)


def guard(sources: list) -> None:
    """Checks every location that MLflow resolves a name to, and every HTTP request, redirects included."""
    import mlflow
    from mlflow.store.artifact.artifact_repository_registry import ArtifactRepositoryRegistry
    from requests.adapters import HTTPAdapter

    trusted = [o for o in map(origin, (mlflow.get_tracking_uri(), mlflow.get_registry_uri())) if o]
    is_local = not trusted and not mlflow.get_tracking_uri().startswith(("databricks", "uc:"))
    locate = ArtifactRepositoryRegistry.get_artifact_repository

    def check_location(self, artifact_uri, *args, **kwargs):
        uri = str(artifact_uri)
        if not is_allowed_location(uri, sources, trusted, is_local):
            raise Refused(describe_source(uri))
        return locate(self, artifact_uri, *args, **kwargs)

    ArtifactRepositoryRegistry.get_artifact_repository = check_location
    if mlflow.get_tracking_uri().startswith("databricks") or mlflow.get_registry_uri().startswith("databricks"):
        return  # Databricks' SDK decides which host gets its token, and downloads by signed addresses
    allowed = trusted + [o for source in sources for o in origins_of_source(source)]
    send = HTTPAdapter.send

    def check_request(self, request, *args, **kwargs):
        if origin(request.url) not in allowed:
            # A server may redirect to a signed address of its storage, which needs no other credential.
            if not request.url.lower().startswith("https://"):
                raise Refused(describe_source(request.url))
            for name in [n for n in request.headers if n.lower() not in SAFE_HEADERS]:
                del request.headers[name]
            kwargs["cert"] = None
        return send(self, request, *args, **kwargs)

    HTTPAdapter.send = check_request


def is_allowed_location(uri: str, sources: list, trusted: list, is_local: bool) -> bool:
    parts = urlsplit(uri)
    scheme, host = parts.scheme, parts.netloc
    if any(p in (".", "..") for p in parts.path.split("/")) and scheme not in ("", "file"):
        return False
    if any(uri == s or uri.startswith(s + "/") for s in sources):
        return True
    if scheme in NAMES:
        return host == ""
    if scheme in ("", "file"):
        return is_local and host in ("", "localhost")
    if scheme == "mlflow-artifacts":
        return host == "" or any(origin(f"{t.split(':')[0]}://{host}") == t for t in trusted)
    return (scheme in STORES and "@" not in host) or origin(uri) in trusted


def origin(uri: str) -> str:
    """`https://host:443` of an HTTP URI, otherwise an empty text."""
    try:
        parts = urlsplit(uri)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return ""
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}" if parts.scheme in PORTS else ""


def origins_of_source(source: str) -> list:
    parts = urlsplit(source)
    schemes = PORTS if parts.scheme == "mlflow-artifacts" else [parts.scheme]
    return [o for o in (origin(f"{scheme}://{parts.netloc}") for scheme in schemes) if o]


def describe_source(uri: str) -> str:
    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme or 'file'}://{host}"[:200]


def resolve(uri: str) -> str:
    from mlflow import MlflowClient

    name, _, target = uri.removeprefix("models:").lstrip("/").rpartition("@" if "@" in uri else "/")
    client = MlflowClient()
    if "@" in uri:
        return client.get_model_version_by_alias(name, target).version
    versions = client.search_model_versions("name='{}'".format(name.replace("'", "")))
    if target.lower() != "latest":
        versions = [v for v in versions if v.current_stage.lower() == target.lower()]
    return str(max(int(v.version) for v in versions))


def download(uri: str, folder: str) -> None:
    from mlflow.artifacts import download_artifacts

    # Download into a subfolder, because some stores keep the last part of the URI as a folder and others do not.
    place = download_artifacts(artifact_uri=uri, dst_path=f"{folder}/download")
    if not os.path.isdir(place):
        raise FileNotFoundError(2, "not a directory")
    shutil.copytree(place, folder, dirs_exist_ok=True)
    shutil.rmtree(f"{folder}/download", ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
