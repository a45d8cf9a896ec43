"""Measures the verification of a release: the State at its heads folded from the log alone, its manifest made and hashed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gonk_node.core.events import ACCEPT
from gonk_node.replica.releases.releases import Releases
from gonk_node.replica.signing.governing import Governor

from .baselines import between_verifications
from .material import Annotator, new_dataset, new_node, open_node
from .results import Sample
from .sizes import GROUP, Sizes

_TAG = "v1.0"


class Release:
    """A dataset of which all is accepted, with a release, made once; each run verifies it."""

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self._sizes = sizes
        self._home = new_node(folder)
        self._dataset = new_dataset(self._home)
        with open_node(self._home) as node:
            annotator = Annotator(node, self._dataset)
            author = node.author(annotator.replica)
            governor = Governor(author)
            for _ in range(0, sizes.released, GROUP):
                annotator.take_in(min(GROUP, sizes.released), GROUP)
                governor.review(ACCEPT, [each.ref for each in governor.awaiting()])
            self._made = Releases(annotator.replica).create(author, _TAG)

    def run(self) -> Iterator[tuple[str, Sample]]:
        """One verification."""
        with open_node(self._home) as node:
            releases = Releases(node.replica(self._dataset.hex()))
            with between_verifications(self._sizes.baseline_seconds) as around:
                verified = releases.verify(_TAG)
        if verified.release != self._made or self._made.summary.annotations != self._sizes.released:
            raise ValueError(f"the release is another: {verified}")
        yield "release", Sample(verified.events / around.seconds, around.rate)
