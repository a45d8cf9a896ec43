"""The command line as a whole: quick help, errors, exit codes, pipes, completion."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from gonk_node import __version__, errors
from gonk_node.cli import ending, main
from gonk_node.cli.commands import COMMANDS
from gonk_node.cli.run import Verb
from gonk_node.cli.text import plural, safe, size_text, time_text
from gonk_node.core.plural import with_its
from gonk_node.core.times import time_json
from kit.command_line import Gonk
from kit.source_tree import PACKAGE, ROOT

HEAVY = (
    "aiohttp",
    "lmdb",
    "jsonschema",
    "jsonschema_rs",
    "sqlite3",
    "rich",
    "nacl",
    "cryptography",
    "cbor2",
    "asyncio",
)
HERE = [name for name, entry in COMMANDS.items() if (PACKAGE / "cli" / f"{entry.module}.py").exists()]


def process(*words: object, home: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    """A real process of `python -m gonk_node`."""
    flags = [] if home is None else ["--home", str(home)]
    return subprocess.run(
        [sys.executable, "-m", "gonk_node", *flags, *map(str, words)],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_lists_every_command_and_loads_nothing_heavy() -> None:
    code = "import sys; from gonk_node.cli import main\ntry: main(['--help'])\nexcept SystemExit: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & set(HEAVY)
    for name, entry in COMMANDS.items():
        assert f"  {name} " in done.stdout
        assert entry.help.split()[0] in done.stdout


@pytest.mark.parametrize("name", HERE)
def test_the_line_in_the_table_is_the_first_sentence_of_the_commands_help(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert (command.help or "").replace("\n", " ").startswith(COMMANDS[name].help)


@pytest.mark.parametrize("name", ["", *HERE])
def test_help_fits_80_columns_and_cuts_no_sentence_short(name: str) -> None:
    parent = click.Context(main, info_name="gonk", terminal_width=80)
    command = main.get_command(parent, name) if name else main
    assert command is not None
    below = list(command.commands.values()) if isinstance(command, click.Group) and name else []
    for each in [command, *below]:
        lines = each.get_help(click.Context(each, parent=parent, info_name=each.name)).splitlines()
        assert [line for line in lines if len(line) > 80] == []
        assert [line for line in lines if line.endswith("...") and "Usage" not in line] == []


@pytest.mark.parametrize("name", HERE)
def test_usage_says_which_arguments_may_be_left_out_and_which_repeated(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    for each in command.commands.values() if isinstance(command, click.Group) else [command]:
        for argument in (parameter for parameter in each.params if isinstance(parameter, click.Argument)):
            told = argument.metavar or ""
            assert argument.required or told.startswith("["), told
            assert argument.nargs == 1 or "..." in told or " " in told, told


@pytest.mark.parametrize("name", HERE)
def test_every_command_takes_json(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    verbs = list(command.commands.values()) if isinstance(command, click.Group) else [command]
    assert verbs
    for verb in verbs:
        assert isinstance(verb, Verb), name


def test_a_real_process_does_the_same(tmp_path: Path) -> None:
    home = tmp_path / "node"
    assert process("--version").stdout == f"gonk {__version__}\n"
    assert process("init", "--name", "Ada", home=home).returncode == 0
    assert process("dataset", "create", "cells", GONK_HOME=str(home)).returncode == 0
    assert json.loads(process("status", "cells", "--json", "--home", home).stdout)["role"] == "owner"
    failed = process("status", "blood", "--json", home=home)
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert json.loads(failed.stderr)["error"]["code"] == "not-found"


def test_two_processes_write_at_once_and_nothing_is_lost(gonk: Gonk) -> None:
    files = [gonk.file(f"{number}", str(number)) for number in range(6)]
    command = [sys.executable, "-m", "gonk_node", "--home", str(gonk.home), "add", "cells"]
    running = [subprocess.Popen([*command, str(path)], cwd=ROOT, stdout=subprocess.DEVNULL) for path in files]
    assert [each.wait(timeout=60) for each in running] == [0] * len(files)
    assert len(gonk.json("list", "cells", "objects")["objects"]) == len(files)
    assert len(gonk.json("status", "cells")["forks"]) == 0
    gonk.ok("fsck")


def test_an_error_says_what_where_and_what_next(gonk: Gonk) -> None:
    result = gonk.refused("add", "cells", gonk.files / "missing.png")
    assert result.err.splitlines()[0].startswith("gonk: cannot be read")
    assert f"  where: {gonk.files / 'missing.png'}" in result.err


@pytest.mark.parametrize(
    "words", [("nonsense",), ("add",), ("add", "cells"), ("list", "cells", "all"), ("labels", "cells"), ("--nonsense",)]
)
def test_wrong_usage_is_exit_code_2_with_the_help_to_read(gonk: Gonk, words: tuple[str, ...]) -> None:
    result = gonk.run(*words)
    assert result.code == 2
    assert "--help" in result.err
    assert "  " not in result.err.splitlines()[0]
    assert gonk.run(*words, "--json").error()["code"] == "usage"


@pytest.mark.parametrize("words", [(), ("release",), ("schema",), ("dataset",)])
def test_a_group_of_commands_alone_shows_its_help_as_it_is(words: tuple[str, ...]) -> None:
    alone, asked = process(*words), process(*words, "--help")
    assert (alone.returncode, alone.stdout) == (2, "")
    assert alone.stderr == asked.stdout


def test_a_bug_is_told_as_one_and_without_a_traceback(gonk: Gonk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("gonk_node.cli.whoami_cmd.is_locked", fail)
    result = gonk.run("whoami")
    assert result.code == 1
    assert "a fault in gonk itself: ZeroDivisionError" in result.err
    assert "Traceback" not in result.err
    assert "Traceback" in gonk.run("--log-level", "debug", "whoami").err


def test_the_documented_exit_codes_are_those_of_the_errors() -> None:
    assert errors.UsageError.exit_code == 2
    assert errors.PeerUnavailableError.exit_code == 3
    assert errors.VerificationError.exit_code == 4
    assert errors.ConflictsError.exit_code == 5
    assert errors.PartialError.exit_code == 6
    assert (ending.INTERRUPTED, ending.TERMINATED) == (130, 143)


def test_a_reader_that_closes_its_end_early_gets_no_traceback(gonk: Gonk) -> None:
    gonk.ok("add", "cells", *(gonk.file(f"{number}", str(number)) for number in range(200)))
    words = f"{sys.executable} -m gonk_node --home '{gonk.home}' list cells objects --limit 1000 | head -1"
    done = subprocess.run(["bash", "-c", words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.startswith("uuid")
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "words", [("whoami",), ("whoami", "--json"), ("schema", "list"), ("schema", "show", "mask"), ("whoami", ">&-")]
)
def test_an_output_that_is_full_is_told_as_that(gonk: Gonk, words: tuple[str, ...], unbuffered: str) -> None:
    line = f"{sys.executable} -m gonk_node --home '{gonk.home}' {' '.join(words)}"
    line += "" if ">&-" in words else " > /dev/full"
    environ = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(
        ["bash", "-c", line], cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=60
    )
    if ">&-" in words:
        assert (done.returncode, done.stderr) == (0, "")
        return
    assert done.returncode == 1
    assert "standard output cannot be written: No space left on device" in done.stderr
    assert "fault" not in done.stderr.replace('"fault": "you"', "") and "Traceback" not in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_command_that_is_stopped_removes_what_it_has_half_written(
    gonk: Gonk, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, code: int
) -> None:
    gonk.add()
    gonk.annotate()
    gonk.accept_all()
    out = gonk.files / "out"

    def stop(*_: object) -> None:
        assert len(list(gonk.files.glob(".out*"))) == 1, "half written"
        signal.raise_signal(number)

    monkeypatch.setattr("gonk_node.formats.folder.FolderWriter._put_in_place", stop)
    result = gonk.run("export", "cells", "jsonl", out)
    assert (result.code, result.err) == (code, "\nstopped\n")
    assert list(gonk.files.glob(".out*")) == [] and not out.exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_completion(shell: str) -> None:
    done = process(_GONK_COMPLETE=f"{shell}_source")
    assert "_GONK_COMPLETE" in done.stdout or "_gonk_completion" in done.stdout


def complete(home: Path, *words: str) -> list[str]:
    """What bash is offered for the last word."""
    line = " ".join(["gonk", *words])
    done = process(
        _GONK_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(len(words)), GONK_HOME=str(home), NO_COLOR="1"
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_commands_datasets_and_choices_are_completed(gonk: Gonk) -> None:
    assert complete(gonk.home, "re") == ["revert", "redact", "review", "reviewer", "release", "rebuild"]
    assert complete(gonk.home, "status", "c") == ["cells"]
    assert complete(gonk.home, "list", "cells", "an") == ["annotations"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\x1b[31mb", "a[31mb"),
        ("a\r\nb\tc", "a b c"),
        ("x\u202ey\u2066z\u200b", "xyz"),
        ("\u2028line", "line"),
        ("\udcff", ""),
        ("Zoë 细胞", "Zoë 细胞"),
    ],
)
def test_texts_of_strangers_are_made_harmless(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_texts_are_cut_visibly() -> None:
    assert safe("abcdef", 4) == "abc…"
    assert safe("abcd", 4) == "abcd"


def test_times_that_no_calendar_has_are_shown_as_numbers() -> None:
    assert time_text(0) == "1970-01-01 00:00:00"
    assert time_json(1_700_000_000_123) == "2023-11-14T22:13:20.123Z"
    assert time_text(2**53 - 1) == f"{2**53 - 1} ms"
    assert time_json(2**53 - 1) is None


def test_sizes_and_counts_read_well() -> None:
    assert [size_text(size) for size in (0, 1, 1023, 1536, 5 << 20, 3 << 50)] == [
        "0 bytes",
        "1 byte",
        "1023 bytes",
        "1.5 KiB",
        "5.0 MiB",
        "3072.0 TiB",
    ]
    assert plural(1, "entry", "entries") == "1 entry"
    assert plural(1000, "object") == "1,000 objects"
    assert [f"gone{with_its(count, 'track')}" for count in (0, 1, 2000)] == [
        "gone",
        "gone, with its track",
        "gone, with its 2,000 tracks",
    ]
