"""The golden entries: what was accepted is accepted for ever, with the same ids; what was refused stays refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gonk_node.core import codec
from gonk_node.core.entry import read_stored
from gonk_node.core.event_codec import KINDS, encode_event
from gonk_node.core.ids import hash_header
from gonk_node.core.verify import check_chain, verify_entry
from gonk_node.errors import InvalidEntryError
from kit import reference_verifier
from kit.source_tree import ROOT
from kit.vector_files import FOLDER, MANIFEST, describe, digest, load, read_manifest

VALID = sorted((FOLDER / "valid").glob("*.json"))
INVALID = sorted((FOLDER / "invalid").glob("*.json"))
RULES = ("V1", "V2", "V3", "V4", "V5", "V6", "V7")


def stem(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", VALID, ids=stem)
def test_a_valid_entry_is_accepted_and_decodes_to_what_its_file_says(path: Path) -> None:
    vector, said = load(path)
    entry = verify_entry(vector.record, vector.dataset)
    check_chain(entry, vector.prev)
    shown = describe(entry)
    assert shown == {name: said[name] for name in shown}
    assert entry.record == vector.record
    assert [None if event is None else encode_event(event) for event in entry.events()] == entry.bodies
    assert read_stored(vector.record).stored_events() == entry.events()


@pytest.mark.parametrize("path", INVALID, ids=stem)
def test_an_invalid_entry_is_refused_for_its_rule(path: Path) -> None:
    vector, _ = load(path)
    with pytest.raises(InvalidEntryError) as caught:
        check_chain(verify_entry(vector.record, vector.dataset), vector.prev)
    assert caught.value.rule == vector.rule
    assert path.stem.startswith((vector.rule or "").lower())


@pytest.mark.parametrize("path", VALID + INVALID, ids=stem)
def test_a_verifier_written_from_the_spec_alone_reaches_the_same_verdict(path: Path) -> None:
    vector, said = load(path)
    prev = None if vector.prev is None else list(vector.prev)
    try:
        outcome = reference_verifier.verify(vector.record, vector.dataset, prev).hex()
    except reference_verifier.BrokenRuleError as broken:
        outcome = str(broken)
    assert outcome == (vector.rule or said["entry_id"])


def test_the_header_that_a_vector_gives_for_the_entry_before_it_is_the_one_that_it_names() -> None:
    for path in VALID + INVALID:
        vector, _ = load(path)
        if vector.prev is not None:
            prev_id = hash_header(codec.encode(list(vector.prev)))
            assert verify_entry(vector.record, vector.dataset).header.prev == prev_id, path.stem


def test_every_kind_and_every_rule_has_vectors() -> None:
    kinds = {event.get("number") for path in VALID for event in load(path)[1]["events"]}
    assert {kind.number for kind in KINDS} < kinds
    rules = [load(path)[0].rule for path in INVALID]
    assert set(rules) == set(RULES)
    assert len(rules) >= 60


def test_no_golden_file_was_changed_added_or_removed_without_the_manifest() -> None:
    listed = read_manifest(MANIFEST.read_text(encoding="utf-8"))
    found = {path.relative_to(FOLDER).as_posix(): digest(path) for path in VALID + INVALID}
    assert found == listed, "golden files are only added, by scripts/add_vectors.py"


def test_the_manifest_only_ever_grew() -> None:
    """Every version of it that was ever committed is the beginning of the present one."""
    name = MANIFEST.relative_to(ROOT).as_posix()
    present = MANIFEST.read_text(encoding="utf-8")
    for commit in _git("log", "--format=%H", "--", name).split():
        assert present.startswith(_git("show", f"{commit}:{name}")), f"rewritten since {commit}"


def _git(*arguments: str) -> str:
    """What git says; nothing where this is no checkout."""
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout
