import contextlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from consentkit import cli, load_policy
from consentkit.notice.text import LANGUAGES
from tests.shell.policies import LIBRARY, NECESSARY

ROOT = Path(__file__).resolve().parents[1]

RUN = "from consentkit.cli import main; main()"
COMMANDS = sorted(cli.commands.commands)
FAULTY = LIBRARY.replace("purpose: analytics\n", "purpose: analitics\n")


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Shell = Callable[..., Ran]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a policy in it, to stand in."""
    (tmp_path / "consent.yaml").write_text(LIBRARY, "utf-8")
    (tmp_path / "faulty.yaml").write_text(FAULTY, "utf-8")
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "COLUMNS", cli.COMPLETE):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def shell(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    """Runs a command line in this process; what it prints is caught."""

    def run(*arguments: str, stdin: str | bytes | None = None) -> Ran:
        if stdin is not None:
            given = stdin.encode() if isinstance(stdin, str) else stdin
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        monkeypatch.setattr(sys, "argv", ["consentkit", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        caught = capsys.readouterr()
        return Ran(int(ended.value.code or 0), caught.out, caught.err)

    return run


def process(
    *arguments: str, folder: Path, code: str = RUN, **env: str
) -> subprocess.CompletedProcess[str]:
    """Runs a command line as a process of its own, as a shell does."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        check=False,
        cwd=folder,
        encoding="utf-8",
        env={**environment(), **env},
    )


def environment() -> dict[str, str]:
    source = str(Path(cli.__file__).parents[1])
    paths = [source, os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


# Start


HEAVY = {"pydantic", "starlette", "yaml", "rich", "jinja2", "itsdangerous", "httpx", "asyncio"}
LOADED = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); " + RUN


def loaded(*arguments: str, folder: Path, **env: str) -> set[str]:
    done = process(*arguments, folder=folder, code=LOADED, **env)
    assert done.returncode == 0
    return {name.partition(".")[0] for name in done.stderr.split()}


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["completion", "zsh"]])
def test_help_and_completion_start_at_once(arguments: list[str], folder: Path) -> None:
    """Whoever asks what there is does not wait for what it takes to do it."""
    names = loaded(*arguments, folder=folder)
    assert names & HEAVY == set()
    assert "click" in names


def test_a_shell_completes_a_command_at_once(folder: Path) -> None:
    """A completion that is slower than typing is turned off."""
    env = {cli.COMPLETE: "bash_complete", "COMP_WORDS": "consentkit ch", "COMP_CWORD": "1"}
    assert loaded(folder=folder, **env) & HEAVY == set()
    words = "consentkit table --language "
    env |= {"COMP_WORDS": words, "COMP_CWORD": "3"}
    assert loaded(folder=folder, **env) & HEAVY == set()


def test_a_command_loads_what_it_needs(folder: Path) -> None:
    """The control: the probe sees what `check` imports; and no server is among it."""
    names = loaded("check", folder=folder)
    assert names >= {"click", "pydantic", "yaml"}
    assert names & {"starlette", "rich", "jinja2", "asyncio"} == set()


# Help


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches(command: str, shell: Shell) -> None:
    """What it does, an example that can be typed, the exit codes; in 80 columns."""
    ran = shell(command, "--help")
    assert ran.code == 0
    assert f"consentkit {command}" in ran.out
    assert "Exit codes: 0 " in ran.out
    assert "--json" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


def test_the_first_help_lists_every_command(shell: Shell) -> None:
    """Each with one sentence, and none of them cut off."""
    ran = shell("--help")
    for command in COMMANDS:
        assert re.search(rf"^  {command} +[A-Z].*\.$", ran.out, re.MULTILINE)
    assert "..." not in ran.out.partition("Commands:")[2]
    assert max(map(len, ran.out.splitlines())) <= 80


@pytest.mark.parametrize("command", COMMANDS)
def test_the_options_in_the_examples_are_there(command: str, shell: Shell) -> None:
    """An example that does not run teaches something wrong."""
    options = {name for each in cli.commands.commands[command].params for name in each.opts}
    named = re.findall(r"consentkit \S+.*?(--[a-z-]+)", shell(command, "--help").out)
    assert set(named) <= options


def test_version_names_the_installed_version(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the package's metadata has it."""
    known = tmp_path / "consentkit-9.8.7.dist-info"
    known.mkdir()
    (known / "METADATA").write_text("Name: consentkit\nVersion: 9.8.7\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert shell("--version") == Ran(0, "consentkit 9.8.7\n", "")


# Exit codes


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (0, "check"),
        (0, "check --strict"),
        (1, "check faulty.yaml"),
        (1, "check consent.yaml faulty.yaml"),
        (1, "check nowhere.yaml"),
        (1, "check ."),
        (2, "check --against consent.yaml a b"),
        (2, "check --from-log x a b"),
        (1, "check --from-log nowhere.log"),
        (2, "check --nonsense"),
        (2, "frobnicate"),
        (0, "explain _ga"),
        (1, "explain unheard-of"),
        (1, "explain _ga --policy faulty.yaml"),
        (2, "explain"),
        (0, "table"),
        (0, "table --format html"),
        (0, "table --format csv"),
        (0, "table --format markdown --language de"),
        (1, "table faulty.yaml"),
        (2, "table --format pdf"),
        (0, "schema"),
        (1, "schema --output nowhere/schema.json"),
        (0, "fmt"),
        (0, "fmt --diff"),
        (1, "fmt nowhere.yaml"),
        (1, "fmt ."),
        (0, "diff consent.yaml"),
        (0, "diff consent.yaml consent.yaml --exit-code"),
        (1, "diff faulty.yaml consent.yaml"),
        (2, "diff"),
        (0, "completion fish"),
        (2, "completion tcsh"),
        (1, "init"),
        (0, "init other.yaml"),
        (0, "init --force"),
        (1, "init nowhere/consent.yaml"),
    ],
)
def test_exit_codes(code: int, arguments: str, shell: Shell) -> None:
    """0: nothing is wrong. 1: something is. 2: the command line is not understood."""
    ran = shell(*arguments.split())
    assert ran.code == code, ran.err
    assert "Traceback" not in ran.err
    assert bool(ran.out or ran.err)


def test_no_command_shows_the_help(shell: Shell) -> None:
    """Whoever types the name alone wants to know what there is; click before 8.2 said 0 to it."""
    ran = shell()
    assert "Commands:" in ran.out + ran.err
    assert ran.code in (0, 2)


def test_strict_makes_warnings_fail(shell: Shell, folder: Path) -> None:
    """Warnings are warnings: shown and counted; with --strict they fail."""
    (folder / "legacy.yaml").write_text(LIBRARY.replace("explicit", "implied"), "utf-8")
    assert shell("check", "legacy.yaml").code == 0
    assert shell("check", "--strict", "legacy.yaml").code == 1


def test_against_finds_what_nobody_would_be_asked_about(shell: Shell, folder: Path) -> None:
    """The file as it was comes from version control, by stdin."""
    longer = LIBRARY.replace("duration: 2 hours", "duration: 3 days")
    (folder / "consent.yaml").write_text(longer, "utf-8")
    ran = shell("check", "--against", "-", stdin=LIBRARY)
    assert ran.code == 1
    assert "consent.yaml:" in ran.out
    assert shell("check", "--against", "-", stdin=longer).code == 0


def test_diff_can_fail_where_visitors_are_asked(shell: Shell, folder: Path) -> None:
    """For CI: who changes what visitors agreed to should know."""
    longer = LIBRARY.replace("duration: 2 hours", "duration: 3 days")
    (folder / "new.yaml").write_text(longer, "utf-8")
    assert shell("diff", "consent.yaml", "new.yaml").code == 0
    ran = shell("diff", "-", "new.yaml", "--exit-code", stdin=LIBRARY)
    assert ran.code == 1
    assert "not marked" in ran.out


# What is printed


def test_faults_of_other_commands_go_to_stderr(shell: Shell) -> None:
    """What is piped into a file is the table or nothing."""
    ran = shell("table", "faulty.yaml")
    assert ran.out == ""
    assert "analitics" in ran.err
    assert "^^^^^^^^^" in ran.err


def test_several_files_are_each_told_and_summed_up(shell: Shell) -> None:
    """Each in turn, and at the end whether all is well."""
    out = shell("check", "consent.yaml", "faulty.yaml").out
    assert out.index("consent.yaml: no faults") < out.index("faulty.yaml: 1 fault")
    assert out.splitlines()[-1] == "2 files: 1 fault, no warnings."


def test_a_policy_from_stdin(shell: Shell) -> None:
    """As an editor or a hook hands it over, unsaved."""
    assert shell("check", "-", stdin=FAULTY).out.startswith("<stdin>:27:14: error: ")
    assert shell("explain", "sid", "--policy", "-", stdin=NECESSARY).code == 0
    assert shell("table", "-", stdin=NECESSARY).code == 0


def test_colours_on_request(shell: Shell) -> None:
    """Into a pager, `--color=always`; the words stay the same."""
    coloured = shell("check", "--color", "always").out
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == shell("check").out
    assert "\x1b[" not in shell("check").out


def test_a_name_that_completes_nothing_reads_no_policy_twice(shell: Shell) -> None:
    """Two things of one name are told one after the other."""
    text = LIBRARY.replace("  cart:", "  _ga:")
    out = shell("explain", "_ga", "--policy", "-", stdin=text).out
    assert out.count("_ga: declared by this very name.") == 2


def test_a_language_without_words_is_told(shell: Shell) -> None:
    """A table in English for who asked for Māori would look like a fault of the site."""
    ran = shell("table", "--language", "mi")
    assert ran.code == 2
    told = f"there are no words in 'mi'. There are: {', '.join(LANGUAGES)}."
    assert told in " ".join(ran.err.split())
    assert shell("table", "--language", "de-AT").out == shell("table", "--language", "de").out


def test_a_folder_without_a_policy_is_shown_the_way(shell: Shell, folder: Path) -> None:
    """The first command somebody tries is `check`."""
    (folder / "consent.yaml").unlink()
    ran = shell("check")
    assert ran.code == 1
    assert ran.out.endswith("'consentkit init' writes a first one.\n")
    assert "consentkit init" not in shell("check", "other.yaml").out


# init


def test_init_writes_a_policy_that_passes(shell: Shell, folder: Path) -> None:
    """From nothing to a file that loads, without a question."""
    (folder / "consent.yaml").unlink()
    ran = shell("init", "--name", "City Library", "--contact", "privacy@library.example")
    assert ran.code == 0
    assert "ConsentMiddleware" in ran.out
    assert ran.out.endswith("consentkit check\n")
    policy = load_policy(folder / "consent.yaml")
    assert (policy.site.name, policy.site.controller) == ("City Library", "City Library")
    assert shell("check", "--strict").code == 0
    schema = (folder / "consentkit.schema.json").read_text("utf-8")
    assert schema == shell("schema").out
    assert "$schema=consentkit.schema.json" in (folder / "consent.yaml").read_text("utf-8")


@pytest.mark.parametrize("mode", ["explicit", "implied", "opt-out"])
def test_init_takes_the_mode_it_is_given(shell: Shell, folder: Path, mode: str) -> None:
    """One question less for who knows."""
    assert shell("init", "other.yaml", "--mode", mode).code == 0
    assert load_policy(folder / "other.yaml").mode == mode


def test_init_never_writes_over_a_policy(shell: Shell, folder: Path) -> None:
    """What somebody wrote is worth more than a draft."""
    assert shell("init").code == 1
    assert (folder / "consent.yaml").read_text("utf-8") == LIBRARY
    assert shell("init", "--force").code == 0
    assert (folder / "consent.yaml").read_text("utf-8") != LIBRARY


def test_init_prints_where_it_is_asked_to(shell: Shell, folder: Path) -> None:
    """To look at it first."""
    out = shell("init", "-").out
    (folder / "printed.yaml").write_text(out, "utf-8")
    assert load_policy(folder / "printed.yaml").site.name


# --from-log

LOGGED = (
    "WARNING consentkit.enforcement: cookie '_fbp' undeclared: not declared; path '/'\n"
    "nothing to do with it\n"
)


def test_a_log_becomes_a_draft(shell: Shell, folder: Path) -> None:
    """What report mode saw and the policy does not declare, as YAML to be read."""
    (folder / "app.log").write_text(LOGGED, "utf-8")
    ran = shell("check", "--from-log", "app.log")
    assert ran.code == 0
    assert "_fbp:" in ran.out
    assert shell("check", "--from-log", "-", stdin=LOGGED).out == ran.out
    assert shell("check", "--from-log", "app.log", "--json").json == {"draft": ran.out}
    (folder / "consent.yaml").unlink()
    assert "_fbp:" in shell("check", "--from-log", "app.log").out
    assert shell("check", "--from-log", "app.log", "nowhere.yaml").code == 1


def test_a_log_of_any_bytes_is_read(shell: Shell, folder: Path) -> None:
    """A log is written by everybody, in every encoding."""
    (folder / "app.log").write_bytes(b"\xff\xfe\x00\n" + LOGGED.encode())
    assert "_fbp:" in shell("check", "--from-log", "app.log").out


# schema and fmt


def test_the_schema_is_printed_or_written(shell: Shell, folder: Path) -> None:
    """The same document either way."""
    printed = shell("schema").json
    ran = shell("schema", "--output", "consentkit.schema.json")
    assert ran.out == "consentkit.schema.json is written.\n"
    assert json.loads((folder / "consentkit.schema.json").read_text("utf-8")) == printed
    assert shell("schema", "--output", "s.json", "--json").json == {"file": "s.json"}


UNTIDY = LIBRARY.replace("mode: explicit", "mode:   explicit # a comment").replace("\n", "\r\n")


def test_fmt_changes_the_form_and_never_the_sense(shell: Shell, folder: Path) -> None:
    """Once is enough, and what it says stays."""
    path = folder / "untidy.yaml"
    path.write_text(UNTIDY, "utf-8", newline="")
    path.chmod(0o640)
    before = load_policy(path)
    assert shell("fmt", "--check", "untidy.yaml") == Ran(1, "untidy.yaml: would be formatted\n", "")
    assert "\r\n" in path.read_bytes().decode()
    diff = shell("fmt", "--diff", "untidy.yaml").out
    assert diff.startswith("--- untidy.yaml\n+++ untidy.yaml, formatted\n")
    assert shell("fmt", "untidy.yaml") == Ran(0, "untidy.yaml: formatted\n", "")
    assert load_policy(path) == before
    assert "# a comment" in path.read_text("utf-8")
    assert path.stat().st_mode & 0o777 == 0o640
    assert shell("fmt", "--check", "untidy.yaml") == Ran(0, "", "")


def test_fmt_reads_and_prints(shell: Shell) -> None:
    """For editors: text in, text out."""
    out = shell("fmt", "-", stdin=UNTIDY).out
    assert "# a comment" in out
    assert shell("fmt", "-", stdin=out).out == out
    assert shell("fmt", "--check", "-", stdin=UNTIDY).code == 1


@pytest.mark.parametrize("source", [b"a: [", b"\xff\xfea\x00", b"a: \xff\n", b"\x00"])
def test_fmt_leaves_alone_what_is_no_yaml(source: bytes, shell: Shell, folder: Path) -> None:
    """It is told where it stops being one, and not a byte of it changes."""
    (folder / "broken.yaml").write_bytes(source)
    ran = shell("fmt", "broken.yaml", "consent.yaml")
    assert ran.code == 1
    assert ran.err.startswith("broken.yaml:")
    assert (folder / "broken.yaml").read_bytes() == source
    assert shell("fmt", "--check", "consent.yaml").code == 0


def test_a_file_is_written_whole_or_not_at_all(shell: Shell, folder: Path) -> None:
    """A link is followed, and nothing is left beside the file."""
    (folder / "real").mkdir()
    (folder / "real" / "policy.yaml").write_text(UNTIDY, "utf-8", newline="")
    (folder / "link.yaml").symlink_to(folder / "real" / "policy.yaml")
    assert shell("fmt", "link.yaml").code == 0
    assert (folder / "link.yaml").is_symlink()
    assert [each.name for each in (folder / "real").iterdir()] == ["policy.yaml"]


# JSON


def shape(value: object) -> object:
    """What kind of document this is: keys, and the kinds of their values."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value[:1]]
    return None if value is None else type(value).__name__


FAULT = {
    "file": "str", "line": "int", "column": "int", "level": "str", "what": "str", "cure": "str",
}  # fmt: skip
DECIDED = {"allowed": "bool", "reason": "str", "purpose": "str"}
PLACE = {"file": "str", "line": "int", "column": "int"}
SHAPES: dict[str, object] = {
    "check": {
        "ok": "bool",
        "faults": "int",
        "warnings": "int",
        "files": [
            {
                "file": "str",
                "faults": [],
                "warnings": [],
                "notes": [],
                "purposes": [
                    {
                        "purpose": "str",
                        "basis": "str",
                        "allowed": dict.fromkeys(
                            ("undecided", "implied", "granted", "refused"), "bool"
                        ),
                    }
                ],
                "experience": [{"about": "str", "text": "str"}],
            }
        ],
    },
    "table faulty.yaml": {"ok": "bool", "faults": [FAULT]},
    "explain _ga": {
        "name": "str",
        "declared": "bool",
        "explanations": [
            {
                "name": "str",
                "section": "str",
                "declaredAs": "str",
                "place": PLACE,
                "summary": "str",
                "notes": [],
                "facts": [{"label": "str", "text": "str", "place": PLACE}],
                "states": [
                    {
                        "state": "str",
                        "visitor": "str",
                        "answers": {"analytics": "str"},
                        "decisions": dict.fromkeys(("store", "again", "read"), DECIDED),
                    }
                ],
                "lifetimes": [{"asked": None, "given": None}],
                "enforced": ["str"],
                "withdrawal": ["str"],
            }
        ],
    },
    "diff consent.yaml consent.yaml": {"asksAgain": "bool", "lacksMarks": "bool", "changes": []},
    "fmt --check": {
        "ok": "bool",
        "files": [{"file": "str", "changed": "bool", "diff": "str", "faults": []}],
    },
    "completion bash": {"shell": "str", "script": "str"},
    "init other.yaml": {"file": "str", "frameworks": ["str"], "policy": "str", "snippet": "str"},
}


@pytest.mark.parametrize("arguments", SHAPES)
def test_the_shape_of_each_document(arguments: str, shell: Shell) -> None:
    """Programs read these keys: a change shows here first."""
    found = shape(shell(*arguments.split(), "--json").json)
    if isinstance(found, dict) and "frameworks" in found:
        found["frameworks"] = ["str"]  # what is installed beside the suite is not the point
    if isinstance(found, dict) and "files" in found:
        found["files"][0] |= {"notes": []} if "notes" in found["files"][0] else {}
    assert found == SHAPES[arguments]


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "scan"])
def test_json_is_one_document_and_nothing_else(command: str, shell: Shell) -> None:
    """Whatever the command, `jq` can read it; that of `scan` is in tests/audit."""
    more = {
        "init": ["other.yaml"],
        "explain": ["_ga"],
        "diff": ["consent.yaml"],
        "completion": ["zsh"],
    }
    ran = shell(command, *more.get(command, []), "--json")
    assert ran.err == ""
    assert isinstance(ran.json, dict)


def test_json_of_faults(shell: Shell) -> None:
    """A program that shows faults in an editor has their places."""
    found = shell("check", "faulty.yaml", "--json")
    assert found.code == 1
    (fault,) = found.json["files"][0]["faults"]
    assert shape(fault) == FAULT
    assert (fault["line"], fault["column"], fault["level"]) == (27, 14, "error")
    broken = shell("fmt", "-", "--json", stdin="a: [")
    assert (broken.code, broken.json["ok"]) == (1, False)


# The terminal at its worst


def test_a_reader_that_leaves_is_no_error(folder: Path) -> None:
    """`consentkit check | head -1`: quiet, whoever stops reading."""
    with subprocess.Popen(
        [sys.executable, "-c", RUN, "check", *["faulty.yaml"] * 2000],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=environment(),
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline().startswith(b"faulty.yaml:")
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait() == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", ["check", "--help", "schema"])
def test_a_full_disk_is_told(arguments: str, folder: Path) -> None:
    """One sentence, and 1: a script must not take half a table for a whole one."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", RUN, arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            cwd=folder,
            env=environment(),
            encoding="utf-8",
        )
    assert done.returncode == 1
    assert done.stderr.startswith("consentkit: the output cannot be written: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="closes descriptors as a POSIX shell does")
@pytest.mark.parametrize(
    ("code", "line"),
    [
        (0, "check >&-"),
        (1, "check faulty.yaml >&- 2>&-"),
        (1, "table faulty.yaml 2>&-"),
        (2, "check - <&-"),
        (2, "frobnicate 2>&-"),
    ],
)
def test_closed_streams(code: int, line: str, folder: Path) -> None:
    """The exit code is right, and nobody sees a traceback."""
    command = f"'{sys.executable}' -c '{RUN}' {line}"
    done = subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        check=False,
        cwd=folder,
        env=environment(),
        encoding="utf-8",
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_a_closed_stdin_is_wrong_usage(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to do instead."""
    monkeypatch.setattr(sys, "stdin", None)
    ran = shell("check", "-")
    assert ran.code == 2
    assert "Name a file." in ran.err


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
@pytest.mark.parametrize("arguments", ["check", "explain _ga", "explain ü", "table --language de"])
def test_a_terminal_that_knows_no_utf8(env: dict[str, str], arguments: str, folder: Path) -> None:
    """What it cannot show is spelled out."""
    done = process(*arguments.split(), folder=folder, **env)
    assert done.stderr == ""
    assert done.stdout.isascii()
    assert done.stdout


def test_hostile_words_of_a_policy_stay_words(shell: Shell, folder: Path) -> None:
    """A policy that is extended or downloaded must not drive the reader's terminal."""
    hostile = LIBRARY.replace("  cart:", '  "\\e[2Jcart\\u202e":').replace(
        "analytics\n", "\\e[1m\n"
    )
    (folder / "hostile.yaml").write_text(hostile, "utf-8")
    for arguments in (["check"], ["table"], ["explain", "\x1b[2Jcart"], ["fmt", "--diff"]):
        option = ["--policy", "hostile.yaml"] if arguments[0] == "explain" else ["hostile.yaml"]
        ran = shell(*arguments, *option)
        assert "\x1b" not in ran.out + ran.err
        assert "\u202e" not in ran.out + ran.err


LISTEN = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT as a POSIX terminal does")
def test_ctrl_c_ends_with_130(folder: Path) -> None:
    """As shells have it, without a traceback."""
    with subprocess.Popen(
        # Where this suite runs in the background, a shell has told it to ignore interrupts.
        [sys.executable, "-c", f"{LISTEN}\n{RUN}", "check", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={**environment(), "PYTHONVERBOSE": ""},
    ) as running:
        wait_until_it_reads(running.pid)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert b"Traceback" not in err


def test_an_interrupted_command(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same in this process, where coverage can see it."""

    class Interrupted(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Interrupted()))
    assert shell("check", "-").code == 130


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_in_this_process(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left in the buffer goes nowhere, or Python would complain when it ends."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        ran = shell("check")
    assert ran.code == 1
    assert ran.err.startswith("consentkit: the output cannot be written: ")


def test_a_closed_stderr_in_this_process(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told, and the exit code still is."""
    monkeypatch.setattr(sys, "stderr", None)
    assert shell("frobnicate").code == 2


def wait_until_it_reads(pid: int) -> None:
    """Until the process sleeps in a read of its stdin; where that cannot be seen, a while."""
    waits = Path(f"/proc/{pid}/syscall")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if waits.read_text("ascii").startswith("0 0x0 "):
                return
        time.sleep(0.05)


# The real shells

BASH = """\
eval "$(consentkit completion bash)"
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
_consentkit_completion consentkit 2>/dev/null
printf '%s\\n' "${COMPREPLY[@]}"
"""
ZSH = """\
autoload -Uz compinit; compinit -u -D
eval "$(consentkit completion zsh)"
compadd() { print -rl -- "${completions[@]}" }
_describe() { print -rl -- "${completions_with_descriptions[@]}" }
_path_files() { print -rl -- *.yaml }
words=("$@"); CURRENT=$#
_consentkit_completion
"""
FISH = """\
consentkit completion fish | source
complete -C (string join -- ' ' $argv)
"""
SHELLS = {
    "bash": ["bash", "--norc", "-c", BASH, "bash"],
    "zsh": ["zsh", "-f", "-c", ZSH, "zsh"],
    "fish": ["fish", "--no-config", "-c", FISH],
}


def completed(kind: str, folder: Path, *words: str) -> list[str]:
    """What this shell offers after `words`, the last of which is being typed."""
    if shutil.which(kind) is None:
        pytest.skip(f"{kind} is not installed")
    command = folder / "bin" / "consentkit"
    command.parent.mkdir(exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{RUN}" "$@"\n', "utf-8")
    command.chmod(0o755)
    path = os.pathsep.join([str(command.parent), os.environ["PATH"]])
    done = subprocess.run(
        [*SHELLS[kind], "consentkit", *words],
        capture_output=True,
        check=False,
        cwd=folder,
        encoding="utf-8",
        env={**environment(), "PATH": path, "HOME": str(folder), "TERM": "dumb"},
    )
    assert "Traceback" not in done.stderr
    return [re.split(r"[\t:]", line)[0] for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize("kind", SHELLS)
def test_a_shell_completes(kind: str, folder: Path) -> None:
    """Commands, options, languages, the names of the policy: in the real shell."""
    assert completed(kind, folder, "ex") == ["explain"]
    assert "--against" in completed(kind, folder, "check", "--ag")
    assert completed(kind, folder, "table", "--language", "d") == ["da", "de"]
    assert sorted(completed(kind, folder, "explain", "_g")) == ["_ga", "_gat*"]
    assert completed(kind, folder, "explain", "ca") == ["cart"]


@pytest.mark.parametrize("kind", ["zsh", "fish"])
def test_a_shell_completes_files(kind: str, folder: Path) -> None:
    """A FILE is what stands in the folder; in bash no script can ask what would be offered."""
    assert "consent.yaml" in completed(kind, folder, "check", "cons")


def test_a_policy_with_faults_completes_no_name(shell: Shell, folder: Path) -> None:
    """And breaks nothing at the prompt."""
    env = {cli.COMPLETE: "bash_complete", "COMP_CWORD": "4"}
    words = "consentkit explain --policy faulty.yaml "
    assert process(folder=folder, COMP_WORDS=words, **env).stdout.strip() == ""
    held = words.replace("faulty", "consent")
    assert "plain,sid" in process(folder=folder, COMP_WORDS=held, **env).stdout


def test_completion_in_this_process(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same as above, where coverage can see it."""
    monkeypatch.setenv(cli.COMPLETE, "bash_complete")
    for words, place, expected in (
        ("consentkit explain si", "2", "plain,sid\n"),
        ("consentkit explain --policy faulty.yaml s", "4", "\n"),
        ("consentkit explain --policy - s", "4", "\n"),
        ("consentkit table --language d", "3", "plain,da\nplain,de\n"),
    ):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", place)
        assert shell().out == expected


def test_stdin_is_read_once(shell: Shell) -> None:
    """It is empty the second time, and that would be told as a fault of the file."""
    ran = shell("check", "--against", "-", "-", stdin=LIBRARY)
    assert ran.code == 2
    assert "stdin is read once" in ran.err


def test_a_policy_from_stdin_is_warned_of_as_from_a_file(shell: Shell) -> None:
    """The notice's languages count for both."""
    ran = shell("check", "-", stdin=LIBRARY + "languages: [en, xx]\n")
    assert "the notice has no words of its own in 'xx'" in ran.out


def test_the_hooks_for_pre_commit_do_what_they_say(shell: Shell, folder: Path) -> None:
    """Each runs on the files that were changed, and fails where one is at fault."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert [hook["id"] for hook in hooks] == ["consentkit-check", "consentkit-fmt"]
    (folder / "faulty.yaml").write_text(FAULTY, "utf-8")
    for hook in hooks:
        program, *command = hook["entry"].split()
        assert program == "consentkit"
        assert re.search(hook["files"], "sites/police/consent.yaml")
        assert not re.search(hook["files"], "sites/police/other.yaml")
        assert shell(*command, "consent.yaml").code == 0
    assert shell("check", "consent.yaml", "faulty.yaml").code == 1
