"""The level of a vulnerability from its CVSS vector, version 3.0 or 3.1: https://www.first.org/cvss/v3.1/specification-document."""

import math

WEIGHTS = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0},
    "I": {"H": 0.56, "L": 0.22, "N": 0},
    "A": {"H": 0.56, "L": 0.22, "N": 0},
}
#: A changed scope gives more weight to privileges.
PRIVILEGES = {"U": {"N": 0.85, "L": 0.62, "H": 0.27}, "C": {"N": 0.85, "L": 0.68, "H": 0.5}}
LEVELS = ((9.0, "critical"), (7.0, "high"), (4.0, "moderate"), (0.0, "low"))


def level_of_vector(vector):
    """None: it is no complete vector of version 3."""
    score = base_score(vector)
    return None if score is None else next(level for least, level in LEVELS if score >= least)


def base_score(vector):
    version, *parts = str(vector).split("/")
    metrics = dict(part.split(":", 1) for part in parts if ":" in part)
    scope = metrics.get("S")
    if version not in ("CVSS:3.0", "CVSS:3.1") or scope not in PRIVILEGES:
        return None
    tables = {**WEIGHTS, "PR": PRIVILEGES[scope]}
    if any(metrics.get(name) not in table for name, table in tables.items()):
        return None
    weight = {name: table[metrics[name]] for name, table in tables.items()}
    lost = 1 - (1 - weight["C"]) * (1 - weight["I"]) * (1 - weight["A"])
    impact = 6.42 * lost if scope == "U" else 7.52 * (lost - 0.029) - 3.25 * (lost - 0.02) ** 15
    if impact <= 0:
        return 0.0
    exploitability = 8.22 * weight["AV"] * weight["AC"] * weight["PR"] * weight["UI"]
    return round_up(min((impact + exploitability) * (1 if scope == "U" else 1.08), 10))


def round_up(score):
    """To one decimal, upwards, as appendix A of the specification does it without errors of floating point."""
    whole = round(score * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (math.floor(whole / 10_000) + 1) / 10
