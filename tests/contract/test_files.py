"""The bytes of objects as they are: uploads raw and as a form, and downloads in parts."""

from __future__ import annotations

import io
import re
import socket
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import pytest
import requests

from gonk_node.store.content import ContentStore
from kit.http_api import Api, Client, b64, sha256

pytestmark = pytest.mark.processes

MIB = 2**20
UNKNOWN = "ffffffff-ffff-8fff-bfff-ffffffffffff"


def upload(client: Client, data: bytes | None = None, name: str = "a.bin", **options: Any) -> dict[str, Any]:
    data = uuid4().bytes if data is None else data
    found: dict[str, Any] = client.ok("POST", f"objects/upload?name={quote(name)}", data=data, **options)
    return found


def download(client: Client, made: dict[str, Any], **headers: str) -> requests.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.call("GET", f"objects/{made['uuid']}/{made['version']}/bytes", headers=sent)


def described(client: Client, made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = client.ok("GET", f"objects/{made['uuid']}/{made['version']}")["object"]
    return found


def count(client: Client) -> int:
    return len(client.ok("GET", "objects?limit=1000"))


# --- upload ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, MIB, MIB + 1, 9 * MIB + 3])
def test_a_file_goes_up_and_comes_down_as_it_was(api: Api, size: int) -> None:
    data = (uuid4().bytes * (size // 16 + 1))[:size]
    made = upload(api.bob, data, "a b.png", headers={"Content-Type": "image/png"})
    assert made["version"] == 0
    assert described(api.alice, made) == made | {
        "name": "a b.png",
        "format": "image/png",
        "size": size,
        "hash_type": 1,
        "hash": sha256(data),
    }
    answer = download(api.alice, made)
    assert answer.content == data
    assert answer.headers["Content-Length"] == str(size)


def test_a_body_in_chunks_is_taken(api: Api) -> None:
    piece = uuid4().bytes
    made = api.alice.ok("POST", "objects/upload?name=a", data=iter([piece] * 1000))
    assert download(api.alice, made).content == piece * 1000


def test_without_a_content_type_it_is_any_bytes(api: Api) -> None:
    assert described(api.alice, upload(api.alice))["format"] == "application/octet-stream"
    urlencoded = {"Content-Type": "application/x-www-form-urlencoded"}  # curl --data-binary
    assert described(api.alice, upload(api.alice, headers=urlencoded))["format"] == "application/octet-stream"


def test_a_form_names_its_file(api: Api) -> None:
    made = api.alice.ok("POST", "objects/upload", files={"file": ("ä.txt", uuid4().bytes, "text/plain")})
    assert (described(api.alice, made)["name"], described(api.alice, made)["format"]) == ("ä.txt", "text/plain")


def test_fields_of_a_form_go_before_what_it_says_of_the_file(api: Api) -> None:
    for fields in ({"name": "b.png", "mimetype": "image/png"}, {"mimetype": "image/png", "name": "b.png"}):
        files = {"file": ("a.txt", uuid4().bytes, "text/plain")}
        made = api.alice.ok("POST", "objects/upload", data=fields, files=files)
        assert (described(api.alice, made)["name"], described(api.alice, made)["format"]) == ("b.png", "image/png")
    late = [("file", ("a.txt", uuid4().bytes, "text/plain")), ("name", (None, "late.png"))]
    assert described(api.alice, api.alice.ok("POST", "objects/upload", files=late))["name"] == "late.png"


def test_a_large_form_comes_down_as_it_was(api: Api) -> None:
    data = uuid4().bytes * 400_000
    made = api.alice.ok("POST", "objects/upload", files={"file": ("big", data)})
    assert download(api.alice, made).content == data


def test_a_new_version_keeps_the_name_where_none_is_given(api: Api) -> None:
    made = upload(api.alice, name="first.png")
    path = f"objects/{made['uuid'].upper()}/upload"
    assert api.alice.ok("POST", path, data=uuid4().bytes) == made | {"version": 1}
    assert described(api.alice, made | {"version": 1})["name"] == "first.png"
    assert api.alice.ok("POST", path + "?name=second.png", data=uuid4().bytes)["version"] == 2
    assert described(api.alice, made | {"version": 2})["name"] == "second.png"


def test_both_forms_make_the_same_objects(api: Api) -> None:
    data = uuid4().bytes
    made = upload(api.alice, data)
    body = {"name": "a", "object": b64(data), "mimetype": "image/png"}
    assert made["uuid"] in api.alice.refused(409, "POST", "objects", body)["ValidationError"]
    api.alice.refused(409, "POST", "objects/upload?name=b", data=data)
    api.alice.refused(409, "POST", f"objects/{made['uuid']}/upload", data=data)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("objects/upload", 400),
        ("objects/upload?name=", 400),
        ("objects/upload?name=schema-box", 400),
        ("objects/upload?name=a%00b", 400),
        ("objects/upload?name=" + "a" * 1025, 400),
        ("/datasets/nowhere/objects/upload?name=a", 404),
        (f"objects/{UNKNOWN}/upload", 404),
        ("objects/nonsense/upload", 400),
    ],
)
def test_an_upload_that_names_nothing_is_refused(api: Api, path: str, status: int) -> None:
    api.alice.refused(status, "POST", path, data=b"x" * MIB)
    assert "x-api-key" in api.nobody.refused(400, "POST", path, data=b"x")


@pytest.mark.parametrize("media_type", ["nonsense", "a/b/c", "text/plain; charset", "a/b;\xe9=1", "*"])
def test_a_content_type_that_is_none_is_refused(api: Api, media_type: str) -> None:
    headers = {"Content-Type": media_type.encode("latin-1")}
    api.alice.refused(400, "POST", "objects/upload?name=a", data=b"x", headers=headers)


@pytest.mark.parametrize(
    "form",
    [
        b"",
        b"--B--\r\n",
        b"nonsense",
        b'--B\r\nContent-Disposition: form-data; name="name"\r\n\r\na\r\n--B--\r\n',
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nbroken off',
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nno end\r\n--B\r\n',
        b'--B\r\nContent-Disposition: form-data; name="name"\r\n\r\n\xff\r\n--B--\r\n',
        b'--B\r\nContent-Disposition: form-data; name="name"\r\n\r\n' + b"a" * 5000 + b"\r\n--B--\r\n",
        b'--B\r\nContent-Disposition: form-data; name="file"\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ==\r\n--B--\r\n',
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n1\r\n' * 2 + b"--B--\r\n",
        b'--B\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n' * 50 + b"--B--\r\n",
        b"--B\r\nContent-Type: multipart/mixed; boundary=C\r\n\r\n--C\r\n\r\n1\r\n--C--\r\n--B--\r\n",
    ],
    ids=range(12),
)
def test_a_form_that_is_none_is_refused_and_leaves_nothing(api: Api, form: bytes) -> None:
    before = count(api.alice)
    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    api.alice.refused(400, "POST", "objects/upload?name=a", data=form, headers=headers)
    assert count(api.alice) == before


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=" + "b" * 100])
def test_a_form_without_a_proper_boundary_is_refused(api: Api, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    api.alice.refused(400, "POST", "objects/upload?name=a", data=b"--b\r\n", headers=headers)


def test_what_is_declared_too_large_is_refused_before_it_comes(api: Api) -> None:
    status, _ = _send_part(api, 2**50, b"x")
    assert status == 413


def test_an_upload_that_breaks_off_leaves_nothing(api: Api) -> None:
    before, size = count(api.alice), _stored(api)
    for _ in range(3):
        _send_part(api, 40 * MIB, uuid4().bytes * (20 * MIB // 16), wait=False)
    whole = uuid4().bytes * (4 * MIB // 16)
    upload(api.alice, whole)  # the server is done with those before it answers this
    assert count(api.alice) == before + 1
    assert _stored(api) < size + 2 * len(whole)


def _stored(api: Api) -> int:
    """What the content of the node takes on the disk, in bytes."""
    return sum(each.stat().st_blocks * 512 for each in (api.gonk.home / "content").iterdir())


def _send_part(api: Api, declared: int, data: bytes, *, wait: bool = True) -> tuple[int, bytes]:
    """Begin an upload that declares a length, send some of it, and read the answer or hang up."""
    parts = urlsplit(api.url)
    with socket.create_connection((str(parts.hostname), parts.port or 0), timeout=30) as connection:
        head = (
            f"POST /datasets/cells/objects/upload?name=part HTTP/1.1\r\nHost: localhost\r\nx-api-key: {api.alice.key}"
        )
        connection.sendall(f"{head}\r\nContent-Length: {declared}\r\n\r\n".encode() + data)
        answer = connection.recv(65536) if wait else b""
    return int(answer[9:12] or 0), answer


# --- download -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def big(api: Api) -> tuple[dict[str, Any], bytes]:
    """An object of several chunks."""
    data = b"".join(number.to_bytes(4, "big") for number in range(700_000))
    return upload(api.alice, data, 'ä "b";.png', headers={"Content-Type": "text/html"}), data


def test_browsers_are_told_to_save_and_never_to_run_it(api: Api, big: tuple[dict[str, Any], bytes]) -> None:
    headers = download(api.bob, big[0]).headers
    assert headers["Content-Type"] == "text/html"
    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''" + quote('ä "b";.png', safe="")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["Accept-Ranges"] == "bytes"
    assert re.fullmatch('"[0-9a-f]{64}"', headers["ETag"])


@pytest.mark.parametrize("media_type", ["nonsense", "text/html\u2028", "a/b c", "text/plain; charset"])
def test_a_media_type_that_is_none_is_not_passed_on(api: Api, media_type: str) -> None:
    made = api.alice.new_object(mimetype=media_type)
    assert download(api.alice, made).headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=1048570-1048590", 1048570, 1048591),
        ("bytes=2799990-", 2799990, 2_800_000),
        ("bytes=2799990-99999999", 2799990, 2_800_000),
        ("bytes=-10", 2_799_990, 2_800_000),
        ("bytes= 5-9 ", 5, 10),
    ],
)
def test_a_range_is_given(api: Api, big: tuple[dict[str, Any], bytes], wanted: str, start: int, end: int) -> None:
    made, data = big
    answer = download(api.alice, made, Range=wanted)
    assert (answer.status_code, answer.content) == (206, data[start:end])
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(data)}"
    assert answer.headers["Content-Length"] == str(end - start)


@pytest.mark.parametrize("wanted", ["bytes=2800000-", "bytes=99999999999-", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(api: Api, big: tuple[dict[str, Any], bytes], wanted: str) -> None:
    answer = download(api.alice, big[0], Range=wanted)
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */2800000")
    assert "RequestedRangeNotSatisfiable" in answer.json()["error"]


@pytest.mark.parametrize(
    "wanted", ["bytes=0-1,5-6", "bytes=9-5", "bytes=a-b", "bytes=-", "lines=1-2", "nonsense", "bytes=0-" + "9" * 5000]
)
def test_what_is_no_single_range_is_passed_over(api: Api, big: tuple[dict[str, Any], bytes], wanted: str) -> None:
    answer = download(api.alice, big[0], Range=wanted)
    assert (answer.status_code, len(answer.content)) == (200, 2_800_000)


def test_a_range_of_other_bytes_gives_the_whole(api: Api, big: tuple[dict[str, Any], bytes]) -> None:
    tag = download(api.alice, big[0]).headers["ETag"]
    for condition, status in ((tag, 206), ('"other"', 200), ("W/" + tag, 200), ("Wed, 21 Oct 2015 07:28:00 GMT", 200)):
        assert download(api.alice, big[0], Range="bytes=0-3", If_Range=condition).status_code == status


def test_an_empty_file_has_no_ranges(api: Api) -> None:
    made = next((each for each in api.alice.ok("GET", "objects?limit=1000") if _is_empty(api, each)), None)
    empty = upload(api.alice, b"") if made is None else {"uuid": made["uuid"], "version": 0}
    assert download(api.alice, empty, Range="bytes=0-").status_code == 416
    assert download(api.alice, empty).content == b""


def _is_empty(api: Api, each: dict[str, Any]) -> bool:
    return bool(described(api.alice, {"uuid": each["uuid"], "version": 0})["size"] == 0)


def test_what_somebody_has_already_is_not_sent_again(api: Api, big: tuple[dict[str, Any], bytes]) -> None:
    tag = download(api.alice, big[0]).headers["ETag"]
    for condition in (tag, "W/" + tag, f'"other", {tag}', "*"):
        answer = download(api.alice, big[0], If_None_Match=condition)
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
    assert download(api.alice, big[0], If_None_Match='"other"').status_code == 200


def test_the_tag_is_that_of_the_content_not_of_the_name(api: Api) -> None:
    one, two = uuid4().bytes, uuid4().bytes
    made = upload(api.alice, one)
    for data in (two, one):
        api.alice.ok("POST", f"objects/{made['uuid']}/upload?name=other", data=data)
    tags = [download(api.alice, made | {"version": version}).headers["ETag"] for version in range(3)]
    assert tags[0] == tags[2] != tags[1]


def test_head_tells_the_size_and_sends_nothing(api: Api, big: tuple[dict[str, Any], bytes]) -> None:
    answer = api.alice.call("HEAD", f"objects/{big[0]['uuid']}/0/bytes")
    assert (answer.status_code, answer.headers["Content-Length"], answer.content) == (200, "2800000", b"")
    part = api.alice.call("HEAD", f"objects/{big[0]['uuid']}/0/bytes", headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.headers["Content-Length"]) == (206, "10")


def test_content_that_is_nowhere_to_be_had_is_the_fault_of_peers(api: Api) -> None:
    data = uuid4().bytes
    made = upload(api.alice, data)
    tag = download(api.alice, made).headers["ETag"]
    content = ContentStore.open(api.gonk.home / "content")
    content.remove(bytes.fromhex(tag.strip('"')))  # as on a node that was given the history only, and has no peers
    for path in (f"objects/{made['uuid']}/0", f"objects/{made['uuid']}/0/bytes"):
        assert "PeerUnavailableError" in api.alice.refused(502, "GET", path)
    assert download(api.alice, made, If_None_Match=tag).status_code == 304
    content.put_file(io.BytesIO(data))
    content.close()
    assert download(api.alice, made).content == data


def test_a_download_of_what_is_not_there_is_not_found(api: Api, big: tuple[dict[str, Any], bytes]) -> None:
    api.alice.refused(404, "GET", f"objects/{big[0]['uuid']}/1/bytes")
    api.alice.refused(404, "GET", f"objects/{uuid4()}/0/bytes")
    api.alice.refused(400, "GET", "objects/nonsense/0/bytes")
    api.alice.refused(404, "GET", f"/datasets/nowhere/objects/{big[0]['uuid']}/0/bytes")
    api.nobody.refused(400, "GET", f"objects/{big[0]['uuid']}/0/bytes")
