"""gonk redact: what an event said is gone, and what it did with it."""

from __future__ import annotations

from kit.command_line import Gonk, exchange


def test_the_author_has_the_contents_of_an_event_erased(gonk: Gonk) -> None:
    added = gonk.add("a-private-name.png", b"x")
    made = gonk.json("redact", "cells", added["event"], "--reason", "a name in it")
    assert made["redacted"] == added["event"]
    assert gonk.run("show", "cells", "a-private-name.png").code == 1
    assert gonk.json("log", "cells", "--kind", "object.create") == []
    assert "erased or withheld" in gonk.ok("log", "cells").out
    gonk.ok("fsck")


def test_an_owner_may_redact_what_others_wrote_and_others_may_not(gonk: Gonk, stranger: Gonk) -> None:
    exchange(gonk, stranger)
    mine = gonk.add("mine", b"mine")
    theirs = stranger.add("theirs", b"theirs")
    exchange(gonk, stranger)
    result = stranger.refused("redact", "cells", mine["event"], "--reason", "envy")
    assert "only owners may redact what others wrote" in result.err
    gonk.ok("redact", "cells", theirs["event"], "--reason", "spam")
    exchange(gonk, stranger)
    assert stranger.run("show", "cells", "theirs").code == 1


def test_reviews_and_what_is_not_there_cannot_be_redacted(gonk: Gonk) -> None:
    gonk.add()
    gonk.accept_all()
    review = gonk.json("log", "cells", "--kind", "review")[0]["events"][0]["event"]
    assert "there is nothing to redact" in gonk.refused("redact", "cells", review, "--reason", "x").err
    gonk.refused("redact", "cells", "00000000-0000-8000-8000-000000000000", "--reason", "x")
    gonk.refused("redact", "cells", review, code=2)


def test_what_somebody_is_called_is_erased_too(gonk: Gonk) -> None:
    gonk.add()
    profile = gonk.json("log", "cells", "--kind", "profile")[0]["events"][0]["event"]
    assert "Ada" in gonk.ok("log", "cells").out
    gonk.ok("redact", "cells", profile, "--reason", "a name")
    assert gonk.json("log", "cells", "--kind", "profile") == []
    assert "there is nothing to redact" in gonk.refused("redact", "cells", profile, "--reason", "again").err
