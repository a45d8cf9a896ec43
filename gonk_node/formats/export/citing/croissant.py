"""croissant.json: what an export of a release is and holds, in Croissant 1.1, for search engines and loaders of datasets.

Format: https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html. Files that are few are told one by one, with their
hashes; images and whatever else there is one of for each sample are told as sets, whose hashes are in SHA256SUMS. What is in
them is told by `croissant_records`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from glob import escape
from typing import Any
from urllib.parse import quote

from gonk_node.formats import checksums, media_types
from gonk_node.formats.export.citing import bibtex
from gonk_node.formats.export.citing.release_facts import Person, ReleaseFacts
from gonk_node.formats.inventory import ANY_FOLDER, FileSet, Inventory, WrittenFile
from gonk_node.state.spdx import IDS, spdx_url

NAME = "croissant.json"
CONFORMS_TO = "http://mlcommons.org/croissant/1.1"

Node = dict[str, Any]

_TERMS = """
annotation arrayShape citeAs column containedIn equivalentProperty excludes extract field fileProperty fileObject fileSet
format includes isArray isLiveDataset jsonPath key md5 parentField path readLines recordSet references regex repeated
replace samplingRate sdVersion separator source subField transform unArchive value
"""
_CONTEXT: Node = {
    "@language": "en",
    "@vocab": "https://schema.org/",  # the spec has http, but its examples, and mlcroissant, only this (their issue 1018)
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _TERMS.split()},
}


def document(facts: ReleaseFacts, distribution: Iterable[Node], record_sets: Iterable[Node]) -> bytes:
    """The file.

    Args:
        facts: of the release.
        distribution: its resources, see `distribution`.
        record_sets: what is in them.
    """
    notes, creators = facts.notes, [_person(person) for person in facts.named]
    references = [{"@id": creator["@id"]} for creator in creators]
    publisher = {"@id": _person_id(facts.publisher)}
    others = [{"@type": "sc:Organization", "name": f"{facts.unnamed:,} others"}] if facts.unnamed else []
    said: Node = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": facts.title,
        "description": facts.description,
        "version": facts.version,
        "datePublished": facts.date,
        "license": spdx_url(notes.licence) if notes.licence in IDS else notes.licence,
        "url": notes.url,
        "keywords": list(notes.keywords),
        "creator": [*creators, *others],
        "publisher": publisher if publisher in references else _person(facts.publisher),
        "prov:wasAttributedTo": references,
        "identifier": [_identifier(what, value) for what, value in facts.identifiers],
        "citeAs": bibtex.entry(facts),
        "isLiveDataset": False,
        "distribution": list(distribution),
        "recordSet": list(record_sets),
    }
    kept = {name: value for name, value in said.items() if value or value is False}
    return json.dumps(kept, ensure_ascii=False, indent=2).encode() + b"\n"


def _person(person: Person) -> Node:
    return {
        "@type": "sc:Person",
        "@id": _person_id(person),
        "name": person.called,
        "identifier": _identifier("Ed25519 public key", person.key.hex()),
    }


def _person_id(person: Person) -> str:
    return f"ed25519-{person.key.hex()}"


def _identifier(what: str, value: str) -> Node:
    return {"@type": "sc:PropertyValue", "propertyID": what, "sc:value": value}  # value alone is cr:value


def distribution(inventory: Inventory) -> list[Node]:
    """The resources of an export: its single files, its sets, and SHA256SUMS.

    The last one is told as a set too, since it holds the hash of croissant.json and so has none there, which single files
    must have.
    """
    sets = inventory.sets()
    sums = {
        "@type": "cr:FileSet",
        "@id": checksums.NAME,
        "name": checksums.NAME,
        "description": "The SHA-256 of every file here but this one: sha256sum -c SHA256SUMS.",
        "encodingFormat": "text/plain",
        "includes": checksums.NAME,
    }
    return [*map(file_object, inventory.files()), *(_file_set(each, sets) for each in sets), sums]


def file_object(file: WrittenFile, part: str = "") -> Node:
    """A single file; with `part` once more, for the record set that is read of one part of it."""
    return {
        "@type": "cr:FileObject",
        "@id": quote(file.path) + (f"#{part}" if part else ""),
        "name": file.path.rpartition("/")[2],
        "contentUrl": quote(file.path),
        "contentSize": f"{file.size} B",
        "encodingFormat": file.media_type,
        "sha256": file.sha256.hex(),
    }


def _file_set(files: FileSet, all_sets: Iterable[FileSet]) -> Node:
    folder = "classes" if files.folder == ANY_FOLDER else files.folder or "top"
    found: Node = {
        "@type": "cr:FileSet",
        "@id": re.sub(r"[^A-Za-z0-9._-]", "-", f"{folder}-{files.media_type}"),
        "name": f"{folder}: {files.media_type}",
        "description": f"{files.files:,} files of {files.bytes:,} bytes. Their hashes are in {checksums.NAME}.",
        "encodingFormat": files.media_type,
        "includes": list(_patterns(files)),
    }
    if files.media_type == media_types.ANY:
        beside = (each for each in all_sets if each.folder == files.folder and each.media_type != media_types.ANY)
        excludes = [pattern for each in beside for pattern in _patterns(each)]
        found |= {"excludes": excludes} if excludes else {}
    return found


def _patterns(files: FileSet) -> Iterator[str]:
    """Of each end of a name two: to some readers `*` is any path, to others a name, and `**/` a path that may be empty."""
    below = f"{files.folder}/" if files.folder else ""
    for suffix in sorted(files.suffixes) or [""]:
        yield f"{below}*{escape(suffix)}"
        yield f"{below}**/*{escape(suffix)}"
