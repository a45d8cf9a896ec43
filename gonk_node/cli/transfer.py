"""Transfers on a terminal, while they run and when they are through: bars that know their end, and what came of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gonk_node.cli.output import Output
from gonk_node.cli.text import plural, size_text
from gonk_node.node.content_sync import ContentReport
from gonk_node.node.syncing import SyncReport, Watch
from gonk_node.sync.outputs import Progress, Totals


@contextmanager
def transfer_bars(out: Output) -> Iterator[Watch]:
    """Bars for entries that come, entries that go, and content; nothing where nobody looks."""
    if out.as_json or not sys.stderr.isatty():
        yield Watch()
        return
    from rich import progress as rich_progress  # lazy: terminals only
    from rich.console import Console  # lazy: terminals only

    bars = rich_progress.Progress(
        rich_progress.TextColumn("{task.description:<9}"),
        rich_progress.BarColumn(),
        rich_progress.DownloadColumn(binary_units=True),
        rich_progress.TextColumn("{task.fields[detail]}"),
        rich_progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bars:
        coming, going, content = (
            bars.add_task(name, total=None, visible=False, detail="") for name in ("receiving", "sending", "content")
        )

        def entries(progress: Progress) -> None:
            rows = ((coming, progress.taken, progress.to_take), (going, progress.given, progress.to_give))
            for task, done, total in rows:
                bars.update(task, completed=done.bytes, total=total.bytes, visible=total.bytes > 0)
                bars.update(task, detail=f"{done.entries:,}/{total.entries:,} entries, {done.events:,} events")

        def files(done: int, total: int) -> None:
            bars.update(content, completed=done, total=total, visible=total > 0)

        yield Watch(entries, files)


def report_json(report: SyncReport) -> dict[str, Any]:
    """A sync as plain data."""
    return {
        "received": report.taken._asdict(),
        "sent": report.given._asdict(),
        "same_entries": report.equal_heads,
        "same_state": report.equal_states,
        "not_delivered": report.not_delivered,
        "content": None if report.content is None else _content_json(report.content),
        "content_sent": None
        if report.offered is None
        else {
            "files": report.offered.sent,
            "bytes": report.offered.bytes,
            "declined": report.offered.declined,
            "failed": len(report.offered.failed),
        },
    }


def report_lines(report: SyncReport) -> list[str]:
    """A sync in words."""
    lines = [f"received {_totals(report.taken)}; sent {_totals(report.given)}"]
    if report.equal_heads:
        same = {True: "and the same State", False: "but ANOTHER STATE", None: "; the State could not be compared"}
        lines.append(f"both hold the same entries {same[report.equal_states]}")
    else:
        lines.append("the two do not hold quite the same entries: strangers' quotas, or something new meanwhile")
    if report.not_delivered:
        lines.append(f"{plural(report.not_delivered, 'entry', 'entries')} that reviews name could not be had there")
    content, offered = report.content, report.offered
    if content is not None and (content.files or content.missing):
        lines.append(f"content: {plural(content.files, 'file')} ({size_text(content.bytes)}) came")
    if content is not None and content.missing:
        why = f": {content.failures[0].error.what}" if content.failures else ""
        lines.append(f"content: {plural(content.missing, 'file')} could not be had there{why}")
    if offered is not None and offered.sent:
        lines.append(f"content: {plural(offered.sent, 'file')} ({size_text(offered.bytes)}) handed over")
    if offered is not None and offered.declined:
        lines.append(f"content: {plural(offered.declined, 'file')} declined there: its policy or quota; no error")
    if offered is not None and offered.failed:
        why = offered.failed[0].error.what
        lines.append(f"content: {plural(len(offered.failed), 'file')} could not be handed over: {why}")
    return lines


def _totals(totals: Totals) -> str:
    if not totals.entries:
        return "nothing"
    entries = plural(totals.entries, "entry", "entries")
    return f"{entries} with {plural(totals.events, 'event')} ({size_text(totals.bytes)})"


def _content_json(content: ContentReport) -> dict[str, Any]:
    failures = [
        {"content_id": wanted.content_id.hex(), "size": wanted.size, "error": error.as_dict()}
        for wanted, error in content.failures
    ]
    return {"files": content.files, "bytes": content.bytes, "missing": content.missing, "failures": failures}
