"""What became of an import: how much was taken, what was left out and why. It decides nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from gonk_node.errors import InputFileError
from gonk_node.formats.loss import Loss

_COUNTS = ("objects", "objects_known", "annotations", "annotations_known", "left_out")


@dataclass(slots=True)
class ImportReport:
    """What an import did so far.

    Attributes:
        objects: new ones proposed.
        objects_known: that were in the dataset before.
        annotations: new ones proposed.
        annotations_known: that were in the dataset before.
        schemas: names of those that were missing in the dataset, and were proposed with it.
        label_sets: names of schemas for which labels were proposed that the dataset did not have.
        loss: what was left out, or is odd, each with its place; and what gonk has no place for.
        left_out: annotations left out because their image or schema could not be used; the loss says so too.
        broken: why the source could not be read to its end, None where it was; what came before that is taken.
    """

    objects: int = 0
    objects_known: int = 0
    annotations: int = 0
    annotations_known: int = 0
    schemas: list[str] = field(default_factory=list)
    label_sets: list[str] = field(default_factory=list)
    loss: Loss = field(default_factory=Loss)
    left_out: int = 0
    broken: InputFileError | None = None

    @property
    def taken(self) -> int:
        """How many objects and annotations are in the dataset now, whether they were before or not."""
        return self.objects + self.objects_known + self.annotations + self.annotations_known

    def as_dict(self) -> dict[str, object]:
        """As plain data, for --json."""
        counts = {name: getattr(self, name) for name in _COUNTS}
        broken = None if self.broken is None else {"place": self.broken.where, "what": self.broken.what}
        of_schemas = {"schemas": self.schemas, "label_sets": self.label_sets}
        return {**counts, **of_schemas, **self.loss.as_dict(), "broken": broken}
