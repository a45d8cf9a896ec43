"""Section 10 of the spec: every value on the page, computed again from the text of the other sections, and by the code."""

from __future__ import annotations

import hashlib
import re

from blake3 import blake3

from gonk_node.core import ids
from gonk_node.core.entry import without_bodies
from gonk_node.core.events import AnnotationCreate, ObjectCreate, SchemaCreate
from gonk_node.core.heads import Head, heads_digest
from gonk_node.core.ids import EventRef
from gonk_node.core.keys import Signer
from gonk_node.core.verify import check_chain, verify_entry
from kit import reference_verifier, strict_cbor
from kit.raw_entries import array, byte_string
from kit.source_tree import ROOT, text

PAGE = ROOT / "docs" / "spec" / "10-worked-example.md"
VALUE = re.compile(r"^([a-z_0-9.]+) =((?:\s+[0-9a-f]+)+)$", re.MULTILINE)
SAID = {name: bytes.fromhex("".join(value.split())) for name, value in VALUE.findall(text(PAGE))}
SECOND = [SAID[f"second.event{index}"] for index in range(3)]


def derived(context: str, *parts: bytes) -> bytes:
    """BLAKE3 in derive_key mode, as section 1 says."""
    return blake3(b"".join(parts), derive_key_context=f"gonk-node 2026 v1 {context}").digest()


def uuid8(digest: bytes) -> bytes:
    return digest[:6] + bytes([digest[6] & 0x0F | 0x80, digest[7], digest[8] & 0x3F | 0x80]) + digest[9:16]


def test_the_page_has_all_values() -> None:
    assert len(SAID) == len(re.findall(r"^[a-z_0-9.]+ =", text(PAGE), re.MULTILINE)) == 35


def test_key_and_log() -> None:
    assert Signer.from_seed(SAID["seed"]).author == SAID["author"]
    assert derived("log id", SAID["installation"], SAID["fresh"], SAID["author"])[:8] == SAID["log_id"]


def test_events_are_what_the_page_writes_in_diagnostic_notation() -> None:
    assert strict_cbor.decode(SAID["genesis.event0"]) == [0, "Blood cells", "", 1, 1, 0, [], 0, bytes(range(16))]
    file = [SAID["file.content_id"], SAID["file.sha256"]]
    annotation = SAID["annotation.uuid"]
    assert [strict_cbor.decode(event) for event in SECOND] == [
        [9, "schema-label", b'{"type":"string"}'],
        [5, SAID["object.uuid"], "cells.txt", "text/plain", 6, *file],
        [7, annotation, [b"", 0], [[b"", 1]], b'"RBC"'],
    ]


def test_headers_are_what_the_page_writes() -> None:
    author, log_id, genesis = SAID["author"], SAID["log_id"], SAID["genesis.id"]
    assert strict_cbor.decode(SAID["genesis.header"]) == [
        *(1, b"", author, log_id, 0, b"", 1767225600000, 1, SAID["genesis.events_hash"])
    ]
    assert strict_cbor.decode(SAID["second.header"]) == [
        *(1, genesis, author, log_id, 1, genesis, 1767225601000, 3, SAID["second.events_hash"])
    ]


def test_hashes_and_ids() -> None:
    for entry, count in (("genesis", 1), ("second", 3)):
        hashes = [SAID[f"{entry}.event{index}.hash"] for index in range(count)]
        assert hashes == [derived("event", SAID[f"{entry}.event{index}"]) for index in range(count)]
        assert SAID[f"{entry}.events_hash"] == derived("event list", *hashes)
        assert SAID[f"{entry}.id"] == derived("entry header", SAID[f"{entry}.header"])


def test_signatures_and_records() -> None:
    signer = Signer.from_seed(SAID["seed"])
    assert SAID["genesis.signed"] == b"gonk-node/entry/1\0" + SAID["genesis.header"]
    for entry, events in (("genesis", [SAID["genesis.event0"]]), ("second", SECOND)):
        header, signature = SAID[f"{entry}.header"], SAID[f"{entry}.signature"]
        assert signer.sign(b"gonk-node/entry/1\0" + header) == signature
        items = array(*map(byte_string, events))
        assert SAID[f"{entry}.record"] == array(byte_string(header), byte_string(signature), items)


def test_content_and_derived_ids() -> None:
    dataset = SAID["genesis.id"]
    assert SAID["file.content_id"] == blake3(SAID["file"]).digest()
    assert SAID["file.sha256"] == hashlib.sha256(SAID["file"]).digest()
    assert SAID["object.uuid"] == uuid8(derived("object uuid", dataset, SAID["file.content_id"]))
    assert SAID["schema.uuid"] == uuid8(derived("schema uuid", dataset, b"schema-label"))
    e = SAID["second.id"]
    for index in range(3):
        tail = 1 << 63 | int.from_bytes(e[6:14], "big") >> 2
        made = e[:6] + (0x8000 | index).to_bytes(2, "big") + tail.to_bytes(8, "big")
        assert SAID[f"second.event{index}.uuid"] == made
    assert SAID["heads.digest"] == derived("heads", SAID["author"], SAID["log_id"], (1).to_bytes(8, "big"), e)


def test_the_code_and_a_verifier_written_from_the_spec_take_the_records() -> None:
    dataset = SAID["genesis.id"]
    genesis = verify_entry(SAID["genesis.record"], None)
    second = verify_entry(SAID["second.record"], dataset)
    withheld = verify_entry(SAID["second.record.withheld"], dataset)
    check_chain(second, genesis.header)
    assert (genesis.entry_id, second.entry_id, withheld.entry_id) == (dataset, SAID["second.id"], SAID["second.id"])
    assert without_bodies(second, {2}).record == SAID["second.record.withheld"]
    assert [type(event) for event in second.events()] == [SchemaCreate, ObjectCreate, AnnotationCreate]
    for name in ("second.record", "second.record.withheld"):
        assert reference_verifier.verify(SAID[name], dataset, list(genesis.header)) == SAID["second.id"]


def test_the_code_derives_the_same() -> None:
    dataset, author, e = SAID["genesis.id"], SAID["author"], SAID["second.id"]
    assert ids.log_id_for(SAID["installation"], SAID["fresh"], author) == SAID["log_id"]
    assert ids.object_uuid(dataset, SAID["file.content_id"]) == SAID["object.uuid"]
    assert ids.schema_uuid(dataset, "schema-label") == SAID["schema.uuid"]
    assert [ids.event_uuid(EventRef(e, index)) for index in range(3)] == [
        SAID[f"second.event{index}.uuid"] for index in range(3)
    ]
    assert heads_digest([Head(author, SAID["log_id"], 1, e)]) == SAID["heads.digest"]
