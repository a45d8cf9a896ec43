"""What a running server says of itself in the node's folder, and what is made of it when it does not run any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from gonk_node.node.serving_mark import Listening, marked, served_at


def test_it_is_known_while_the_server_runs_and_not_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "serving.json"
    assert served_at(path) is None
    with marked(path, Listening("::1", 18401)):
        assert served_at(path) == Listening("::1", 18401)
        assert path.stat().st_mode & 0o777 == 0o600
    assert served_at(path) is None
    assert not path.exists()


def test_what_a_killed_server_left_counts_for_nothing_and_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "serving.json"
    path.write_text('{"host": "127.0.0.1", "port": 18401, "and": "more than the next one writes"}')
    assert served_at(path) is None
    with marked(path, Listening("0.0.0.0", 7)):
        assert served_at(path) == Listening("0.0.0.0", 7)


def test_the_second_of_two_servers_leaves_the_first_ones_address(tmp_path: Path) -> None:
    path = tmp_path / "serving.json"
    with marked(path, Listening("127.0.0.1", 1)), marked(path, Listening("127.0.0.1", 2)):
        assert served_at(path) == Listening("127.0.0.1", 1)


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "{}", '{"host": "h", "port": "p"}', "\xff"])
def test_nonsense_in_it_is_no_address(tmp_path: Path, text: str) -> None:
    path = tmp_path / "serving.json"
    with marked(path, Listening("127.0.0.1", 1)):
        path.write_text(text, encoding="latin-1")
        assert served_at(path) is None


def test_where_it_cannot_be_written_the_server_runs_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "serving.json"
    with marked(path, Listening("127.0.0.1", 1)):
        assert served_at(path) is None
