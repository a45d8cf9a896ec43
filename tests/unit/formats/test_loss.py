"""The report of what an import or an export lost, as Python shows it."""

from __future__ import annotations

from gonk_node.formats.loss import Loss


def test_a_report_that_is_printed_says_what_was_lost() -> None:
    loss = Loss()
    assert str(loss) == "nothing was lost"
    loss.left_out("a.png", "is no image; left out")
    loss.not_carried("b.png", "scores")
    assert str(loss) == "a.png: is no image; left out\nnot carried: scores (once: b.png)"
    assert repr(loss) == "Loss(1 left out, 1 not carried)"
