"""The files beside an export of a release by which it is cited and found: CITATION.cff and croissant.json.

They say nothing but what follows from the release and the export's options, so they are the same on every node. What they
cannot say is told as not carried. SHA256SUMS, which every export has, is written by `formats.folder`.
"""

from __future__ import annotations

from collections.abc import Mapping

from gonk_node.formats import checksums
from gonk_node.formats.export.citing import cff, croissant, croissant_records
from gonk_node.formats.export.citing.release_facts import ReleaseFacts
from gonk_node.formats.folder import FolderWriter
from gonk_node.formats.loss import Loss

BESIDE = (checksums.NAME, cff.NAME, croissant.NAME)
"""Names in the top folder of an export that no exporter may use."""


def write(
    folder: FolderWriter, facts: ReleaseFacts, format_name: str, schemas: Mapping[str, bytes], loss: Loss
) -> None:
    """Write both files, after all others but SHA256SUMS.

    Args:
        folder: of the export, with all that its format has.
        facts: of the release.
        format_name: one of `formats.export.EXPORTERS`.
        schemas: the documents of the schemas of the dataset, by name (without `schema-`).
        loss: where it is told what the release does not say.

    Raises:
        StorageError, DiskFullError: the disk.
    """
    _tell(facts, loss)
    described = croissant_records.describe(format_name, folder.inventory, schemas)
    distribution = [*croissant.distribution(folder.inventory), *described.parts]
    for node in distribution:
        if node["@id"] in described.conforms_to:
            node["conformsTo"] = described.conforms_to[node["@id"]]
    folder.write(cff.NAME, cff.text(facts).encode())
    folder.write(croissant.NAME, croissant.document(facts, distribution, described.record_sets))


def _tell(facts: ReleaseFacts, loss: Loss) -> None:
    place = f"release {facts.version[:100]}"
    if not facts.notes.licence:
        what = "a licence, which the release does not name; the next one can: gonk release create … --license"
        loss.not_carried(place, what)
    if not facts.notes.url:
        what = (
            "an address of the dataset, which the release does not name; the next one can: gonk release create … --url"
        )
        loss.not_carried(place, what)
    if not facts.date:
        loss.not_carried(place, "a time that no calendar has")
    if facts.unnamed:
        loss.not_carried(place, f"the names of {facts.unnamed:,} creators, who made less than those that are named")
