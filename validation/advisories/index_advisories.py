"""Reduces an export of the OSV database to what Davit compares: one line for each package of PyPI.

python -I index_advisories.py EXPORT.zip OUT

EXPORT.zip has one JSON file for each advisory, as https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip.
Withdrawn advisories are left out. Prints how many advisories were read and how many could not be.
"""

import json
import os
import re
import sys
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cvss import LEVELS as CVSS_LEVELS
from cvss import level_of_vector

LEVELS = {"LOW": "low", "MODERATE": "moderate", "MEDIUM": "moderate", "HIGH": "high", "CRITICAL": "critical"}
EVENTS = ("introduced", "fixed", "last_affected", "limit")
#: An advisory has some kilobytes; more is not one.
BYTES, SUMMARY = 16 << 20, 160


def main(source, out):
    packages, read, unreadable = {}, 0, 0
    with zipfile.ZipFile(source) as archive:
        for member in archive.infolist():
            if not member.filename.endswith(".json"):
                continue
            try:
                if member.file_size > BYTES:
                    raise ValueError("too large")
                add(json.loads(archive.read(member)), packages)
                read += 1
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError, zipfile.BadZipFile):
                unreadable += 1
    with open(out, "w", encoding="utf-8") as file:
        for name in sorted(packages):
            records = sorted(packages[name], key=lambda r: r["id"])
            file.write(f"{name}\t{json.dumps(records, separators=(',', ':'))}\n")
    print(json.dumps({"advisories": read, "unreadable": unreadable}))


def add(record, packages):
    if record.get("withdrawn"):
        return
    for affected in record.get("affected", []):
        package = affected.get("package", {})
        if package.get("ecosystem", "").split(":")[0] != "PyPI":
            continue
        ranges = [
            [{kind: str(e[kind]) for kind in EVENTS if kind in e} for e in r.get("events", [])]
            for r in affected.get("ranges", [])
            if r.get("type") in ("ECOSYSTEM", "SEMVER")
        ]
        name = re.sub(r"[-_.]+", "-", package["name"].lower())
        packages.setdefault(name, []).append(
            {
                "id": str(record["id"]),
                "aliases": [str(a) for a in record.get("aliases") or []],
                "level": level_of(record, affected),
                "summary": str(record.get("summary") or "")[:SUMMARY],
                "versions": [str(v) for v in affected.get("versions") or []],
                "ranges": ranges,
            }
        )


def level_of(record, affected):
    if str(record["id"]).startswith("MAL-"):
        return "critical"  # not a flaw, but a package made to harm
    for place in (
        record.get("database_specific"),
        affected.get("database_specific"),
        affected.get("ecosystem_specific"),
    ):
        level = LEVELS.get(str((place or {}).get("severity", "")).upper())
        if level:
            return level
    vectors = [s.get("score") for s in [*(record.get("severity") or []), *(affected.get("severity") or [])]]
    levels = {level_of_vector(vector) for vector in vectors}
    return next((level for _, level in CVSS_LEVELS if level in levels), None)


if __name__ == "__main__":
    main(*sys.argv[1:3])
