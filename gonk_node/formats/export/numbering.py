"""Ids in exported files: those that the data came with where they still are unique, and new ones for all the rest.

Made in two passes over the samples: first everything is added, then asked for. Both give the same on every node.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from gonk_node.core.limits import EXPORT_ID_MAX, EXPORT_LABELS_MAX
from gonk_node.errors import RefusedError
from gonk_node.formats.label_set import Label, class_numbers
from gonk_node.formats.repeats import Repeats
from gonk_node.state.strict_json import Json

_CLAIMS_MAX = 4 * EXPORT_LABELS_MAX
_DECLARED = 1 << 60  # more often than anything is claimed


def kept_id(value: Json) -> int | None:
    """The value, if it is a number that can be an id; None otherwise."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= EXPORT_ID_MAX else None


class Ids:
    """Ids of many things: a kept one that no other thing claims, else the next after all kept ones."""

    def __init__(self) -> None:
        self._kept = Repeats()
        self._last = 0

    def add(self, kept: int | None) -> None:
        """Take note of what a thing claims (see `kept_id`)."""
        if kept is not None:
            self._kept.add(kept)

    def next(self, kept: int | None) -> int:
        """The id of the next thing; ask once for each, in the order in which they are written."""
        if kept is not None and not self._kept.repeated(kept):
            return kept
        self._last = max(self._last, self._kept.greatest) + 1
        return self._last


class Labels:
    """The labels of a dataset, and the numbers that they had in the files that they came from.

    Args:
        declared: labels of a label set, which are there in any case, and whose numbers go before all others.
        number_of: the number that a declared label had in the file that it comes from, from what was kept of that.
    """

    def __init__(
        self,
        declared: Mapping[str, Label] | None = None,
        number_of: Callable[[Label], Json] = lambda _: None,
    ) -> None:
        self._claims: dict[str, Counter[int]] = {}
        self._claim_count = 0
        self._declared = declared or {}
        for label, said in self._declared.items():
            self.add(label, None)
            number = kept_id(number_of(said))
            if number is not None:
                self._claims[label][number] = _DECLARED

    def add(self, label: str, kept: int | None) -> None:
        """Take note of one annotation's label.

        Raises:
            RefusedError: there are more than EXPORT_LABELS_MAX different ones.
        """
        claims = self._claims.get(label)
        if claims is None:
            claims = self._claims[label] = Counter()
            if len(self._claims) > EXPORT_LABELS_MAX:
                raise RefusedError(
                    f"the annotations have more than {EXPORT_LABELS_MAX:,} different labels; no format of classes takes that"
                )
        if kept is None:
            return
        if kept not in claims:
            self._claim_count += 1
        if self._claim_count <= _CLAIMS_MAX:  # one author could otherwise claim another number each time
            claims[kept] += 1

    def numbers(self, first: int, *, dense: bool) -> dict[str, int]:
        """A number for each label, in order of the numbers; by `label_set.class_numbers`, as loaders have them.

        A number that several claim goes to the label that claims it most often.

        Args:
            first: the least number to give.
            dense: give the smallest that are free; otherwise those after the greatest, and from 1.
        """
        claims = sorted((-many, n, label) for label, own in self._claims.items() for n, many in own.items())
        kept = ((label, number) for _, number, label in claims)
        room = EXPORT_LABELS_MAX if dense else None
        return class_numbers(self._declared.values(), self._claims, kept, first=first, numbers_max=room, dense=dense)

    def names(self) -> dict[str, str]:
        """What each label is called in files: as the label set says, unless another one is called so too; else its id."""
        said = {label: self._declared[label].name if label in self._declared else label for label in self._claims}
        often = Counter(said.values())
        return {label: name if often[name] == 1 else label for label, name in said.items()}
