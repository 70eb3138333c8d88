"""What `manage.py doctor` prints: a line for each check, and below them what to do.

{"ok", "at", "took_s", "summary": {"OK": number, "WARN", "FAIL", "SKIPPED"},
 "checks": [{"name", "status", "found", "do"}, …]}
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from warren.doctor.finding import Finding, Status
from warren.jobs.terminal import GAP, Column, show_table, styled

STYLES = {Status.OK: "green", Status.WARN: "yellow", Status.FAIL: "bold red", Status.SKIPPED: "dim"}
_COLUMNS = (Column(title="CHECK"), Column(title="STATUS"), Column(title="FOUND", folds=True))


def is_well(findings: Mapping[str, Finding]) -> bool:
    """Whether nothing fails."""
    return all(finding.status is not Status.FAIL for finding in findings.values())


def document(findings: Mapping[str, Finding], *, at: str, took_s: float) -> dict[str, Any]:
    """See the module's docstring."""
    return {
        "ok": is_well(findings),
        "at": at,
        "took_s": round(took_s, 2),
        "summary": _summary(findings),
        "checks": [
            {"name": name, "status": finding.status.value, "found": finding.found, "do": finding.do}
            for name, finding in findings.items()
        ],
    }


def show(out: Console, findings: Mapping[str, Finding], *, took_s: float) -> None:
    """As people read it. What to do is on lines that are not broken, so that it can be copied."""
    rows = (
        [styled(name), styled(finding.status.value, STYLES[finding.status]), styled(finding.found)]
        for name, finding in findings.items()
    )
    show_table(out, _COLUMNS, rows)
    to_do = {name: finding for name, finding in findings.items() if finding.do}
    if to_do:
        out.print()
    for name, finding in sorted(to_do.items(), key=lambda each: each[1].status is not Status.FAIL):
        out.print(styled(f"{finding.status.value} {name}", STYLES[finding.status]))
        out.print(styled(f"{GAP}{finding.do}"))
    out.print()
    counts = ", ".join(f"{number} {status}" for status, number in _summary(findings).items() if number)
    out.print(styled(f"{counts}; {took_s:.1f} s", STYLES[Status.OK if is_well(findings) else Status.FAIL]))


def _summary(findings: Mapping[str, Finding]) -> dict[str, int]:
    counted = Counter(finding.status for finding in findings.values())
    return {status.value: counted[status] for status in Status}
