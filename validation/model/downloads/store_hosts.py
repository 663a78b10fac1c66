"""The servers that a download from Google's and Azure's stores may query.

The environment of Davit names them, and the location that was allowed: never what is downloaded.
"""

import json
import os
from urllib.parse import urlsplit

GOOGLE_SUFFIX = ".googleapis.com"
GOOGLE_METADATA = ("http://metadata.google.internal", "http://169.254.169.254")
AZURE_METADATA = "http://169.254.169.254"
AZURE_AUTHORITIES = (
    "https://login.microsoftonline.com",
    "https://login.microsoft.com",
    "https://login.microsoftonline.us",
    "https://login.chinacloudapi.cn",
    "https://login.partner.microsoftonline.cn",
)


def urls_of_store(uri: str) -> list:
    """The addresses that a download from `gs://`, `wasbs://` or `abfss://` needs. `*` begins a suffix of host names."""
    parts = urlsplit(uri)
    if parts.scheme == "gs":
        return google_urls()
    if parts.scheme in ("wasbs", "abfss"):
        return azure_urls(parts.hostname or "")
    return []


def google_urls() -> list:
    emulator = os.environ.get("STORAGE_EMULATOR_HOST")
    metadata = os.environ.get("GCE_METADATA_HOST")
    named = [emulator, f"http://{metadata}" if metadata else None, *urls_of_credentials()]
    return [f"https://*{GOOGLE_SUFFIX}", *GOOGLE_METADATA, *[with_scheme(url) for url in named if url]]


def with_scheme(url: str) -> str:
    return url if "://" in url else f"http://{url}"


def urls_of_credentials() -> list:
    """The servers that issue the tokens, by the file of the credentials."""
    try:
        with open(os.environ.get("GOOGLE_APPLICATION_CREDENTIALS", ""), encoding="utf-8") as file:
            found = json.load(file)
        source = found.get("credential_source") or {}
        names = ("token_uri", "token_url", "token_info_url", "service_account_impersonation_url")
        return [url for url in [*[found.get(name) for name in names], source.get("url")] if isinstance(url, str)]
    except (OSError, ValueError, AttributeError):
        return []  # Google's library explains what is wrong with the file


def azure_urls(host: str) -> list:
    account, _, rest = host.partition(".")
    suffix = rest.partition(".")[2]  # both services have the same files
    variables = ("AZURE_AUTHORITY_HOST", "IDENTITY_ENDPOINT", "MSI_ENDPOINT")
    named = [os.environ.get(name) for name in variables]
    return [
        f"https://{host}",
        *[f"https://{account}.{service}.{suffix}" for service in ("blob", "dfs")],
        *urls_of_connection_string(),
        *AZURE_AUTHORITIES,
        AZURE_METADATA,
        *[url if "://" in url else f"https://{url}" for url in named if url],
    ]


def urls_of_connection_string() -> list:
    text = os.environ.get("AZURE_STORAGE_CONNECTION_STRING", "")
    if not text:
        return []
    fields = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    fields = {name.strip().lower(): value.strip() for name, value in fields.items()}
    if fields.get("usedevelopmentstorage", "").lower() == "true":
        return ["http://127.0.0.1:10000"]
    protocol, account = fields.get("defaultendpointsprotocol", "https"), fields.get("accountname", "")
    standard = f"{protocol}://{account}.blob.{fields.get('endpointsuffix', 'core.windows.net')}"
    return [fields.get("blobendpoint") or standard]
