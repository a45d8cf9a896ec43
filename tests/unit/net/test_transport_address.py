"""Addresses and links survive being passed on as text, and anything else is refused with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonk_node.core.keys import Signer
from gonk_node.errors import UsageError
from gonk_node.net.address import PeerAddress, ShareLink, parse_address, parse_link

KEY = Signer.from_seed(b"k" * 32).author
DATASET = bytes(range(32))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "fe80::1", "node.example.org", "bücher.example"])
@pytest.mark.parametrize("port", [1, 7475, 65535])
def test_an_address_and_a_link_survive_as_text(host: str, port: int) -> None:
    address = PeerAddress(host, port, KEY)
    assert parse_address(str(address)) == address
    link = ShareLink(address, DATASET)
    assert parse_link(str(link)) == link
    assert str(link) == f"{address}/{DATASET.hex()}"


def test_an_ipv6_host_stands_in_brackets() -> None:
    address = PeerAddress("::1", 7475, KEY)
    assert str(address) == f"gonk://[::1]:7475/{KEY.hex()}"
    assert address.base_url == "https://[::1]:7475"


def test_upper_case_digits_and_a_last_slash_do_no_harm() -> None:
    assert parse_address(f"gonk://a:1/{KEY.hex().upper()}/") == PeerAddress("a", 1, KEY)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "does not begin"),
        (f"https://a:1/{KEY.hex()}", "does not begin"),
        (f"gonk://a/{KEY.hex()}", "not host:port"),
        (f"gonk://a:/{KEY.hex()}", "not host:port"),
        (f"gonk://:1/{KEY.hex()}", "not host:port"),
        (f"gonk://::1:1/{KEY.hex()}", "not host:port"),
        (f"gonk://user@a:1/{KEY.hex()}", "not host:port"),
        (f"gonk://a b:1/{KEY.hex()}", "not host:port"),
        (f"gonk://a:0/{KEY.hex()}", "no port"),
        (f"gonk://a:65536/{KEY.hex()}", "no port"),
        ("gonk://a:1", "node key"),
        ("gonk://a:1/", "node key"),
        ("gonk://a:1/abc", "not a key"),
        (f"gonk://a:1/{bytes(32).hex()}", "not an Ed25519"),
        (f"gonk://a:1/{KEY.hex()}/{DATASET.hex()}", "link to a dataset"),
        (f"gonk://a:1/{KEY.hex()}/{DATASET.hex()}/x", "node key"),
        ("gonk://" + "a" * 600, "too long"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as refused:
        parse_address(text)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"gonk://a:1/{KEY.hex()}", "names no dataset"),
        (f"gonk://a:1/{KEY.hex()}/{'0' * 63}", "not a dataset id"),
        (f"gonk://a:1/{KEY.hex()}/{'x' * 64}", "not a dataset id"),
    ],
)
def test_what_is_no_link_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        parse_link(text)


@given(st.text(max_size=80))
def test_any_text_is_a_link_or_a_usage_error(text: str) -> None:
    for parse in (parse_address, parse_link):
        for candidate in (text, "gonk://" + text):
            try:
                parse(candidate)
            except UsageError:
                pass
