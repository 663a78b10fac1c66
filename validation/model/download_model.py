"""Downloads a model with MLflow, or finds a version in its registry. Runs in a virtualenv of mlflow-skinny.

python download_model.py --download POLICY URI FOLDER
python download_model.py --find POLICY URI
python download_model.py --card POLICY URI

POLICY is JSON: `sources`, the URIs that are allowed besides what the tracking server keeps itself, and `buckets`: may
that server name any bucket. Standard output is JSON: what the registry says about the version; for `--card` also about
its run, for the reviewers of a new version. A line
`progress: DONE TOTAL` of standard error counts bytes, and the last line is JSON with the reason of a failure. Of what a
server has answered it repeats only version numbers, aliases and the names of models that nearly match, because the
reader of a pull request may not always query that server.
"""

import contextlib
import errno
import gc
import json
import os
import re
import shutil
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import registry_versions
from downloads.store_hosts import urls_of_store

# Buckets have no host: the environment says which service they are in.
STORES = ("s3", "gs", "dbfs")
# Stores whose list of files is complete, so that an empty one means that there is no model.
LISTED = ("s3", "gs", "wasbs", "abfss")
NAMES = ("models", "runs")
SAFE_HEADERS = ("accept", "accept-encoding", "connection", "range", "user-agent")
PORTS = {"http": 80, "https": 443}
# MLflow lists the files of an http address there, and fails without a reason for any other.
ARTIFACT_SERVER = "/mlflow-artifacts/artifacts"
# What requests calls errors of the connection. Compared by name, because MLflow replaces them with its own.
UNREACHABLE = (
    "ConnectionError",
    "ConnectTimeout",
    "Timeout",
    "ReadTimeout",
    "SSLError",
    "ProxyError",
    "NewConnectionError",
    "ChunkedEncodingError",
    "gaierror",
    "ProtocolError",
    "IncompleteRead",
    # botocore
    "HTTPClientError",
    "EndpointConnectionError",
    "ConnectionClosedError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ResponseStreamingError",
    "IncompleteReadError",
    # google-auth and azure-core
    "TransportError",
    "ServiceRequestError",
    "ServiceResponseError",
)
# What Google's and Azure's libraries raise when the credentials do not work, or there are none.
DENIED = ("RefreshError", "ClientAuthenticationError", "CredentialUnavailableError")
UNREACHABLE_TEXT = ("Max retries exceeded", "Connection refused", "timed out", "Failed to resolve", "IncompleteRead(")
# What Google's library raises when the bytes do not have the checksum that the store sends with them.
DAMAGED = ("DataCorruption",)
# Of a server that cannot answer now. MLflow also gives INTERNAL_ERROR to every error of its own, see is_outage.
OUTAGE_CODES = (
    "TEMPORARILY_UNAVAILABLE",
    "DEADLINE_EXCEEDED",
    "REQUEST_LIMIT_EXCEEDED",
    "RESOURCE_EXHAUSTED",
    "DATA_LOSS",
)
# An answer that is not JSON is only in the text of MLflow's error. So are errors of files that it downloads together.
OUTAGE_TEXT = re.compile(r"failed with error code (?:429|5\d\d) != |\b(?:429 Client|5\d\d Server) Error\b")


RUNTIME = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "runtime")
# A quarter of the time that MLflow takes to load. A download needs neither; what does need them loads them later.
UNUSED = ("mlflow.genai", "mlflow.gateway")

# Files at a time. Some repositories also read one large file in parallel parts.
FILES_AT_ONCE = 4
PROGRESS_SECONDS = 2


class Refused(Exception):
    """A source that the policy does not allow."""


class Truncated(Exception):
    """A file with another size than its store lists."""


def main() -> int:
    action, policy, uri, *rest = sys.argv[1:]
    is_found = False
    try:
        guard(**json.loads(policy))
        if action == "--card":
            print(json.dumps(registry_versions.read_card(uri)))
            return 0
        found = registry_versions.find(uri)
        is_found = True
        if action == "--download":
            if found:
                registry_versions.require_ready(found)
            download(uri, rest[0])
        print(json.dumps(found))
    except Exception as error:
        reason = describe(error)
        if reason["kind"] == "denied":
            reason["registry"] = not is_found
        print(json.dumps(reason), file=sys.stderr)
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
        if isinstance(e, registry_versions.Unavailable):
            return e.reason
        if isinstance(e, Truncated):
            return {"kind": "truncated"}
        if type(e).__name__ in DAMAGED:
            return {"kind": "damaged"}
    for e in seen:
        status, code = status_of(getattr(e, "response", None)), getattr(e, "error_code", None)
        if status in (401, 403) or code in ("PERMISSION_DENIED", "UNAUTHENTICATED"):
            return {"kind": "denied"}
        if status == 404 or code in ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"):
            return {"kind": "missing"}
        if is_outage(e, status, code):
            return {"kind": "unavailable"}
    names = [type(e).__name__ for e in seen]
    text = " ".join(str(e) for e in seen)
    if any(n in DENIED for n in names):
        return {"kind": "denied"}
    if any(n in UNREACHABLE for n in names) or any(t in text for t in UNREACHABLE_TEXT):
        return {"kind": "unreachable"}
    if OUTAGE_TEXT.search(text):
        return {"kind": "unavailable"}
    if "default auth" in text or "cannot configure default credentials" in text or "databrickscfg" in text:
        return {"kind": "unconfigured"}
    if "No such artifact" in text:
        return {"kind": "missing"}
    numbers = [e.errno for e in seen if isinstance(e, OSError) and e.errno is not None]
    if os.strerror(errno.ENOSPC) in text:
        numbers.insert(0, errno.ENOSPC)
    if errno.ENOENT in numbers:
        return {"kind": "missing"}
    if numbers:
        return {"kind": "system", "error": errno.errorcode.get(numbers[0], str(numbers[0]))}
    return {"kind": "failed", "error": names[0]}


def is_outage(error: BaseException, status: int, code) -> bool:
    """Whether a server answers with an error of its own, or receives too many requests."""
    if status == 429 or status >= 500 or code in OUTAGE_CODES:
        return True
    return code == "INTERNAL_ERROR" and type(error).__name__ == "RestException"


def status_of(response) -> int:
    """The HTTP status in an error of requests, or of boto3, whose response is a dictionary."""
    if isinstance(response, dict):
        return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    return int(getattr(response, "status_code", 0) or 0)


def import_mlflow():
    """Imports MLflow without what a download does not need, and without collecting garbage: an import makes none."""
    sys.path.append(RUNTIME)
    from davit_server.scoring.lazy_import import import_lazily

    import_lazily(*UNUSED)
    gc.disable()
    try:
        import mlflow
    finally:
        gc.freeze()
        gc.enable()
    return mlflow


def guard(sources: list, buckets: bool) -> None:
    """Checks every location that MLflow resolves a name to, and every HTTP request, redirects included."""
    mlflow = import_mlflow()
    from mlflow.store.artifact.artifact_repository_registry import ArtifactRepositoryRegistry
    from requests.adapters import HTTPAdapter

    trusted = [o for o in map(origin, (mlflow.get_tracking_uri(), mlflow.get_registry_uri())) if o]
    is_local = not trusted and not mlflow.get_tracking_uri().startswith(("databricks", "uc:"))
    locate = ArtifactRepositoryRegistry.get_artifact_repository
    allowed = trusted + [o for source in sources for o in origins_of_source(source)]

    def check_location(self, artifact_uri, *args, **kwargs):
        uri = str(artifact_uri)
        if not is_allowed_location(uri, sources, trusted, is_local, buckets):
            raise Refused(describe_source(uri))
        # Only now, because nothing else of this download has a reason to query a store.
        allowed.extend(o for o in map(origin, urls_of_store(uri)) if o)
        if uri.startswith("gs:"):
            # Google's client wants a project. A download needs none, and not every kind of credentials names one.
            os.environ.setdefault("GOOGLE_CLOUD_PROJECT", "none")
        if uri.startswith("abfss:"):
            # MLflow reads the parts of a large file without the credentials of the account.
            os.environ["MLFLOW_ENABLE_MULTIPART_DOWNLOAD"] = "false"
        return locate(self, artifact_uri, *args, **kwargs)

    ArtifactRepositoryRegistry.get_artifact_repository = check_location
    if mlflow.get_tracking_uri().startswith("databricks") or mlflow.get_registry_uri().startswith("databricks"):
        return  # Databricks' SDK decides which host gets its token, and downloads by signed addresses
    send = HTTPAdapter.send

    def check_request(self, request, *args, **kwargs):
        if not is_allowed_origin(origin(request.url), allowed):
            # A server may redirect to a signed address of its storage, which needs no other credential.
            if not request.url.lower().startswith("https://"):
                raise Refused(describe_source(request.url))
            for name in [n for n in request.headers if n.lower() not in SAFE_HEADERS]:
                del request.headers[name]
            kwargs["cert"] = None
        return send(self, request, *args, **kwargs)

    HTTPAdapter.send = check_request


def is_allowed_origin(found: str, allowed: list) -> bool:
    """Whether an origin is one of a list, in which `*` stands for any beginning of a host."""
    if found in allowed:
        return True
    scheme, _, host = found.partition("://")
    return any(a.startswith(f"{scheme}://*") and host.endswith(a.partition("*")[2]) for a in allowed if a)


def is_allowed_location(uri: str, sources: list, trusted: list, is_local: bool, buckets: bool) -> bool:
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
    return (buckets and scheme in STORES and "@" not in host) or origin(uri) in trusted


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


def download(uri: str, folder: str) -> None:
    """Downloads file by file, so that a repeated download skips the files that are complete."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    if uri.startswith("runs:"):  # a run's repository also looks for a logged model of that name
        return download_whole(uri, folder)
    if urlsplit(uri).scheme in ("http", "https") and ARTIFACT_SERVER not in uri:
        raise registry_versions.Unavailable({"kind": "no-listing"})
    if urlsplit(uri).scheme in LISTED:
        uri = uri.rstrip("/")  # MLflow would look for files below a folder without a name
    repository = locate_files(get_artifact_repository(uri))
    files = list_files(repository)
    if not files and urlsplit(repository.artifact_uri).scheme in LISTED:
        raise FileNotFoundError(errno.ENOENT, "no file below the URI")
    if not files:
        return download_whole(uri, folder)
    folder = os.path.realpath(folder)
    progress = Counter(sum(size or 0 for size in files.values()), os.path.join(folder, "model"))
    with progress, ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        list(pool.map(lambda file: download_file(repository, *file, folder), files.items()))


def locate_files(repository):
    """The store behind a registered model, queried for once: Unity Catalog makes a credential for each query."""
    inner = getattr(repository, "repo", repository)
    return inner._get_artifact_repo() if hasattr(inner, "_get_scoped_token") else inner


def list_files(repository, path: str = "") -> dict:
    """Every file with its size, or None where the store does not say it."""
    files = {}
    entries = repository.list_artifacts(path)
    # Consoles and Hadoop keep a folder as an empty object with its name, which is no file of the model.
    folders = {path or ".", *(entry.path for entry in entries if entry.is_dir)}
    for entry in entries:
        if entry.is_dir:
            files.update(list_files(repository, entry.path))
        elif entry.path in folders and entry.file_size == 0:
            continue
        elif any(part in ("", ".", "..") for part in entry.path.split("/")):
            raise Refused(describe_source("file://"))
        else:
            files[entry.path] = entry.file_size
    return files


def download_file(repository, path: str, size, folder: str) -> None:
    target, part = os.path.join(folder, "model", path), os.path.join(folder, "parts", path)
    if size is not None and os.path.isfile(target) and os.path.getsize(target) == size:
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    os.makedirs(os.path.dirname(part), exist_ok=True)
    repository._download_file(path, part)
    if size is not None and os.path.getsize(part) != size:
        os.remove(part)
        raise Truncated(path)
    os.replace(part, target)


class Counter:
    """Prints how much of a download there is."""

    def __init__(self, total: int, folder: str):
        self.total, self.folder = total, folder
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.count, daemon=True)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        self.print()

    def count(self):
        while not self.ended.wait(PROGRESS_SECONDS):
            self.print()

    def print(self):
        done = count_bytes(self.folder) + count_bytes(os.path.join(os.path.dirname(self.folder), "parts"))
        print(f"progress: {done} {self.total}", file=sys.stderr, flush=True)


def count_bytes(folder: str) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # renamed a moment ago
                total += os.path.getsize(os.path.join(place, name))
    return total


def download_whole(uri: str, folder: str) -> None:
    """For a source that cannot list its files. Into a subfolder, because some keep the last part of the URI as one."""
    from mlflow.artifacts import download_artifacts

    shutil.rmtree(f"{folder}/download", ignore_errors=True)
    place = download_artifacts(artifact_uri=uri, dst_path=f"{folder}/download")
    if not os.path.isdir(place):
        raise FileNotFoundError(2, "not a directory")
    if not os.path.realpath(place).startswith(os.path.realpath(folder) + os.sep):
        shutil.copytree(place, f"{folder}/model")  # a directory of this machine, which stays where it is
    else:
        os.replace(place, f"{folder}/model")


if __name__ == "__main__":
    sys.exit(main())
