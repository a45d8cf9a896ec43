"""A release as an entry of BibTeX, in one text. https://www.bibtex.org/Format."""

from __future__ import annotations

import re

from gonk_node.formats.export.citing.release_facts import ReleaseFacts

_ESCAPES = {ord(char): f"\\{char}" for char in "{}$&#%_"} | {
    ord("\\"): r"\textbackslash{}",
    ord("^"): r"\textasciicircum{}",
    ord("~"): r"\textasciitilde{}",
}
_NO_KEY = re.compile(r"[^A-Za-z0-9._+-]")


def entry(facts: ReleaseFacts) -> str:
    """The entry. Names are in braces of their own, so that nothing in them parts or abbreviates them."""
    people = [f"{{{_escaped(name)}}}" for name in facts.authors]
    fields = {
        "author": " and ".join([*people, *(["others"] if facts.unnamed else [])]),
        "title": f"{{{_escaped(facts.title)}}}",
        "version": _escaped(facts.version),
        "year": facts.date[:4],
        "url": facts.notes.url.translate({ord("%"): r"\%", ord("#"): r"\#"}),
        "note": f"gonk-node dataset {facts.dataset.hex()}, manifest hash {facts.manifest_hash.hex()}",
    }
    key = f"gonk-{facts.dataset.hex()[:8]}-{_NO_KEY.sub('-', facts.version)}"
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{key},", ",\n".join(lines), "}"])


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)
