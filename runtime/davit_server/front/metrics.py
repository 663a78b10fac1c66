"""Counts requests and renders them for Prometheus."""

from __future__ import annotations

from collections import Counter

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)
INFINITE = "+Inf"


class Metrics:
    """Counts requests by status and their seconds from the request head to the answer."""

    def __init__(self) -> None:
        self.requests: Counter[int] = Counter()
        self.buckets: Counter[float | str] = Counter()
        self.seconds = 0.0

    def observe(self, status: int, seconds: float) -> None:
        self.requests[status] += 1
        self.seconds += seconds
        self.buckets[next((bucket for bucket in BUCKETS if seconds <= bucket), INFINITE)] += 1

    def render(self, gauges: dict[str, int], lost: Counter[str]) -> str:
        """Returns Prometheus' text format, version 0.0.4; `lost` counts lost workers by reason."""
        lines = ["# HELP davit_requests_total Requests answered.", "# TYPE davit_requests_total counter"]
        lines += [f'davit_requests_total{{status="{status}"}} {n}' for status, n in sorted(self.requests.items())]
        lines += [
            "# HELP davit_request_seconds Time to answer, waiting included.",
            "# TYPE davit_request_seconds histogram",
        ]
        seen = 0
        for bucket in (*BUCKETS, INFINITE):
            seen += self.buckets[bucket]
            lines.append(f'davit_request_seconds_bucket{{le="{bucket}"}} {seen}')
        lines += [f"davit_request_seconds_sum {self.seconds:.6f}", f"davit_request_seconds_count {seen}"]
        lines += [
            "# HELP davit_workers_lost_total Workers replaced, by reason.",
            "# TYPE davit_workers_lost_total counter",
        ]
        lines += [f'davit_workers_lost_total{{why="{why}"}} {n}' for why, n in sorted(lost.items())]
        for name, value in gauges.items():
            lines += [f"# TYPE davit_{name} gauge", f"davit_{name} {value}"]
        return "\n".join(lines) + "\n"
