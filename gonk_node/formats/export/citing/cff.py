"""CITATION.cff: how a release is cited, for people, GitHub, Zenodo and reference managers.

Format: https://github.com/citation-file-format/citation-file-format/blob/1.2.0/schema-guide.md.
"""

from __future__ import annotations

from typing import Any

from gonk_node.formats import strict_yaml
from gonk_node.formats.export.citing.release_facts import ReleaseFacts
from gonk_node.state.spdx import IDS

NAME = "CITATION.cff"


def text(facts: ReleaseFacts) -> str:
    """The file. Names are those of entities, which need no family names: people call themselves what they like."""
    notes, others = facts.notes, [f"{facts.unnamed:,} others"] if facts.unnamed else []
    said: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use this dataset, please cite it as below.",
        "type": "dataset",
        "title": facts.title,
        "abstract": facts.description,
        "authors": [{"name": name} for name in [*facts.authors, *others]],
        "version": facts.version,
        "date-released": facts.date,
        "license" if notes.licence in IDS else "license-url": notes.licence,
        "url": notes.url,
        "keywords": list(notes.keywords),
        "identifiers": [{"type": "other", "value": value, "description": what} for what, value in facts.identifiers],
    }
    return strict_yaml.dump({name: value for name, value in said.items() if value})
