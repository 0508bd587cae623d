import io
import os
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.errors import Fault
from consentkit.shell.terminal import COLOURS, Colour, Screen, Tone, Toned, fault_json, width_of

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
HOSTILE = "\x1b[31mred\x07\x9b2J\u202egnp.exe\u2066\u200b\x7f\r\ud800"


def plain(text: str) -> str:
    return ESCAPE.sub("", text)


def ascii_stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)


def text_of(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def utf8_stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True, newline="\n")


def said(width: int = 80, **options: bool) -> tuple[Screen, io.TextIOWrapper]:
    stream = utf8_stream()
    return Screen(stream, width=width, **options), stream


# What a terminal would obey


def everything(screen: Screen, text: str) -> None:
    """Let a text out by every way there is but `write`, which is for texts that others read."""
    screen.say(text, Toned(text, Tone.STRONG), indent="  ")
    screen.head(text)
    screen.table([text], [[text], [Toned(text, Tone.ERROR)]])
    fault = Fault(text, 1, 3, text, text)
    screen.fault(fault, {text: f"{text}\n{text}"})
    screen.json({text: text})


@given(text=st.text(max_size=30) | st.just(HOSTILE), framed=st.booleans(), watched=st.booleans())
def test_no_control_of_a_file_reaches_the_terminal(
    *, text: str, framed: bool, watched: bool
) -> None:
    """A policy is written by others: a name in it must not recolour or rewrite a screen."""
    screen, stream = said(is_framed=framed, is_watched=watched)
    everything(screen, text)
    if watched:
        screen.write(text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text_of(stream))


def test_what_is_obeyed_is_spelled_out() -> None:
    """The reader sees that something was there, and what."""
    screen, stream = said()
    screen.head("a\x1b[31mb\u202ec")
    assert text_of(stream) == "a\\x1b[31mb\\u202ec\n"


def test_our_own_colours_do_reach_the_terminal() -> None:
    """The control: the probe above would see an escape if one went out."""
    screen, stream = said(is_coloured=True)
    screen.head(Toned("a", Tone.ERROR))
    assert text_of(stream) == "\x1b[38;5;196m\x1b[1ma\x1b[0m\n"


@given(st.text(max_size=30))
def test_any_text_can_be_told_to_a_terminal_of_ascii(text: str) -> None:
    """A log, an old console, LC_ALL=C: what cannot be encoded is spelled out, and never a crash."""
    stream = ascii_stream()
    screen = Screen(stream, is_watched=True)
    everything(screen, f"{text} … ü 例")
    screen.write(text)
    assert "\\xfc \\u4f8b" in text_of(stream)
    assert "... " in text_of(stream)


def test_a_stream_that_is_closed_swallows_everything() -> None:
    """``consentkit check >&-`` still has an exit code to give."""
    screen = Screen.on(None, "auto")
    everything(screen, "x")
    screen.blank()
    assert screen.width == 80


def test_a_text_for_a_pipe_goes_out_as_it_is() -> None:
    """What another program reads is not ours to change; what somebody watches is made harmless."""
    screen, stream = said()
    screen.write("a\tb\r\n\x1b[0m")
    watched, watched_stream = said(is_watched=True)
    watched.write("a\tb\r\n\x1b[0m")
    assert text_of(stream) == "a\tb\r\n\x1b[0m"
    assert text_of(watched_stream) == "a\tb\n\\x1b[0m"


# Colours


def luminance(colour: int) -> float:
    """Of one of the 216 colours of the cube (WCAG 2.2, relative luminance)."""
    levels = (0, 95, 135, 175, 215, 255)
    place = colour - 16
    parts = [levels[place // 36], levels[place // 6 % 6], levels[place % 6]]
    red, green, blue = (
        part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("tone", [tone for tone in Tone if COLOURS[tone]])
def test_each_colour_is_read_on_white_and_on_dark(tone: Tone) -> None:
    """Nobody knows the background: 3.6 : 1 to white, to black, and to a theme's #1e1e1e."""
    shade = luminance(COLOURS[tone] or 0)
    assert 1.05 / (shade + 0.05) > 3.6
    assert (shade + 0.05) / 0.05 > 3.6
    assert (shade + 0.05) / (0.013 + 0.05) > 3.6


def test_yellow_would_not_be_read() -> None:
    """The control: the yellow that many tools warn in is lost on white, a plain blue on black."""
    assert 1.05 / (luminance(226) + 0.05) < 1.5
    assert (luminance(18) + 0.05) / 0.05 < 1.5


def test_colours_change_no_word() -> None:
    """Never colour alone: taken away, the same text is left."""
    texts = []
    for coloured in (True, False):
        screen, stream = said(is_coloured=coloured)
        screen.say(Toned("error: ", Tone.ERROR), "a b c " * 40, Toned("end", Tone.STRONG))
        screen.table(["head"], [[Toned("allowed", Tone.ALLOWED)], ["blocked"]])
        screen.fault(Fault("f", 1, 1, "What.", "Cure."), {"f": "key: value"})
        texts.append(text_of(stream))
    assert "\x1b[" in texts[0]
    assert plain(texts[0]) == texts[1]


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def terminal(encoding: str = "utf-8") -> Terminal:
    return Terminal(io.BytesIO(), encoding=encoding, write_through=True)


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.mark.parametrize(
    ("env", "color", "coloured"),
    [
        ({}, "auto", True),
        ({"NO_COLOR": "1"}, "auto", False),
        ({"NO_COLOR": ""}, "auto", True),
        ({"TERM": "dumb"}, "auto", False),
        ({"NO_COLOR": "1"}, "always", True),
        ({}, "never", False),
    ],
)
def test_when_a_terminal_is_coloured(
    env: dict[str, str], color: Colour, *, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_COLOR counts where it is set and not empty (no-color.org); what is asked for wins."""
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert Screen.on(terminal(), color).is_coloured is coloured


def test_a_pipe_is_plain_and_80_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """What CI keeps, or ``less`` shows, does not depend on somebody's window."""
    monkeypatch.setenv("COLUMNS", "200")
    screen = Screen.on(utf8_stream(), "auto")
    assert (screen.width, screen.is_coloured, screen.is_framed) == (80, False, False)
    assert Screen.on(utf8_stream(), "always").is_coloured
    assert Screen.on(terminal(), "auto").width == 200


@pytest.mark.skipif(sys.platform == "win32", reason="asks a POSIX terminal")
@pytest.mark.parametrize(("columns", "width"), [(132, 132), (0, 80), (20, 40)])
def test_a_terminal_is_as_wide_as_it_is(columns: int, width: int) -> None:
    """Its own width, also where stdout goes into a file and it is stderr; 40 at least."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        assert Screen.on(stream, "auto").width == width
    os.close(ours)
    assert Screen.on(terminal(), "auto").width == 80


def test_frames_are_drawn_where_they_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """They need rich, UTF-8 and somebody who looks."""
    assert Screen.on(terminal(), "auto").is_framed
    assert not Screen.on(terminal("latin-1"), "auto").is_framed
    monkeypatch.setenv("TERM", "dumb")
    assert not Screen.on(terminal(), "auto").is_framed


def test_without_rich_a_terminal_gets_plain_tables() -> None:
    """Rich is an extra: nothing is missing without it but the frames."""
    code = (
        "import importlib.util, io\n"
        "found = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name: None if name == 'rich' else found(name)\n"
        "from consentkit.shell.terminal import Screen\n"
        "class Terminal(io.StringIO):\n"
        "    encoding = 'utf-8'\n"
        "    def isatty(self): return True\n"
        "stream = Terminal()\n"
        "Screen.on(stream, 'never').table(['a'], [['b']])\n"
        "print(ascii(stream.getvalue()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "'a\\n\\u2500\\nb\\n'\n", "")


# Paragraphs


@given(
    st.lists(st.text("ab例é ", max_size=12), max_size=6),
    st.integers(40, 110),
)
def test_no_line_is_wider_than_the_screen(pieces: list[str], width: int) -> None:
    """Wide characters count two, combining ones none; a word that is too long is broken."""
    screen, stream = said(width)
    screen.say(*pieces, "x" * 150, indent="  • ", hang="    ")
    lines = text_of(stream).splitlines()
    assert all(width_of(line) <= min(width, 100) for line in lines)
    kept = "".join(line[4:] for line in lines).replace(" ", "")
    assert kept == "".join(pieces).replace(" ", "") + "x" * 150


def test_a_wide_character_that_fits_nowhere_is_let_out() -> None:
    """A column of one cannot hold it: it stands out, and nothing hangs."""
    screen, stream = said(40)
    screen.table(["a" * 30, "b" * 30, *"cdefgh"], [["x", "y", *"例例例例例例"]])
    assert text_of(stream).count("例") == 6


def test_a_paragraph_is_broken_between_words() -> None:
    """The colour of a piece goes on in the next line, and the blank at the break is gone."""
    screen, stream = said(40, is_coloured=True)
    screen.say("one ", Toned("two three four five six seven eight nine ten", Tone.STRONG))
    assert text_of(stream) == (
        "one \x1b[1mtwo three four five six seven eight\x1b[0m\n\x1b[1mnine ten\x1b[0m\n"
    )


def test_widths_are_columns() -> None:
    """As a terminal counts: East Asian wide forms two, marks that combine none."""
    assert [width_of(text) for text in ("abc", "例え", "e\u0301", "ﬁ", "👍")] == [3, 4, 1, 1, 2]


# Tables


@given(
    rows=st.lists(st.lists(st.text("ab例 -", max_size=40), min_size=3, max_size=3), max_size=4),
    framed=st.booleans(),
)
def test_a_table_fits_and_keeps_every_word(*, rows: list[list[str]], framed: bool) -> None:
    """Cells are broken until the table fits 80 columns; no letter is lost."""
    screen, stream = said(80, is_framed=framed)
    screen.table(["first", "second", "third"], rows)
    text = plain(text_of(stream))
    assert all(width_of(line) <= 80 for line in text.splitlines())
    for letter in "b例":
        assert text.count(letter) == sum(cell.count(letter) for row in rows for cell in row)


def test_a_plain_table() -> None:
    """Heads, a rule, rows: two blanks between columns and none at the end of a line."""
    screen, stream = said()
    screen.table(["name", "answer"], [["polls", "yes"], ["例", ""]])
    assert text_of(stream) == "name   answer\n─────  ──────\npolls  yes\n例\n"


def test_a_framed_table() -> None:
    """On a terminal, with rich; square brackets are text and no markup."""
    screen, stream = said(is_framed=True, is_coloured=True)
    screen.table(["name"], [[Toned("[red]x", Tone.ALLOWED)], [Toned("b", Tone.STRONG)], ["c"]])
    text = text_of(stream)
    assert "\x1b[38;5;64m[red]x" in text
    assert "\x1b[1mb" in text
    assert plain(text).splitlines()[0] == "╭────────╮"


# Faults


def fault_text(source: str, column: int, width: int = 80, line: int = 1, **more: bool) -> str:
    screen, stream = said(width, **more)
    screen.fault(Fault("f.yaml", line, column, "It is wrong.", "Mend it."), {"f.yaml": source})
    return text_of(stream)


def test_a_fault_is_shown_as_a_compiler_does() -> None:
    """Place, sentence, the line with its number, a caret under the value, the cure."""
    assert fault_text("site: x\nmode: explicitt # why\n", 7, line=2) == (
        "f.yaml:2:7: error: It is wrong.\n"
        "    2 | mode: explicitt # why\n"
        "      |       ^^^^^^^^^\n"
        "      = Mend it.\n"
    )


@pytest.mark.parametrize(
    ("source", "column", "marked"),
    [
        ("mode: explicit", 1, "mode"),
        ("  PollTimeout-{pollid}: {kind: session}", 3, "PollTimeout-{pollid}"),
        ('  "__Host-x": 1', 3, '"__Host-x"'),
        ("  body: it's two words # c", 9, "it's two words"),
        ("a: {b: two words, c: 1}", 8, "two words"),
        ("a: [one, two]", 10, "two"),
        ("a: 'quo ted' # c", 4, "'quo ted'"),
        ('a: "quo \\" ted" # c', 4, '"quo \\" ted"'),
        ("more: http://x.example/y", 7, "http://x.example/y"),
        ("a: {b: 1}", 4, "{b: 1}"),
        ("a:", 3, " "),
        ("a:", 99, " "),
        ("", 1, " "),
    ],
)
def test_the_caret_is_as_long_as_what_it_points_to(source: str, column: int, marked: str) -> None:
    """A key up to its colon, a value up to a comment, in brackets up to the comma."""
    lines = fault_text(source, column).splitlines()
    carets = lines[2]
    assert carets.count("^") == len(marked)
    assert lines[1].ljust(len(carets))[carets.index("^") : len(carets)] == marked.strip().ljust(
        len(marked)
    )


def test_tabs_and_wide_characters_keep_the_caret_in_place() -> None:
    """A tab is four blanks here, a wide character two columns, an escape as long as it is shown."""
    source = '\tname: "例え話", \x1b[1m, controler: x'
    lines = fault_text(source, source.index("controler") + 1).splitlines()
    assert lines[1] == '    1 |     name: "例え話", \\x1b[1m, controler: x'
    before = lines[1][: lines[1].index("controler")]
    assert lines[2].index("^") == width_of(before)
    assert lines[2].count("^") == len("controler")


@given(
    st.integers(1, 5000), st.integers(40, 130), st.sampled_from(["a", "例", "\t", "e\u0301", "ab "])
)
def test_a_long_line_is_cut_around_the_place(column: int, width: int, letters: str) -> None:
    """The place is always in sight, under the caret, and the line fits the screen."""
    line = (letters * 5000)[:5000]
    marked = f"{line[: column - 1]}§{line[column:]}"
    text = fault_text(marked, column, width)
    shown, carets = text.splitlines()[1:3]
    assert width_of(shown) <= width
    assert width_of(carets) <= width
    assert width_of(shown[: shown.index("§")]) == carets.index("^")


def test_a_line_that_fits_is_not_cut() -> None:
    """The control: dots stand only where something was left out."""
    assert "…" not in fault_text("a" * 70, 70)
    assert fault_text("a" * 100, 1).splitlines()[1].endswith("a…")
    assert fault_text("a" * 100, 100).splitlines()[1].startswith("    1 | …a")


def test_every_line_break_of_yaml_counts() -> None:
    """YAML 1.1 §4.2: CR, NEL and the Unicode separators end a line too."""
    assert fault_text("a\rb\x85c\u2028d\u2029e\r\nf", 1, line=6).splitlines()[1] == "    6 | f"


def test_a_fault_without_a_line_has_no_excerpt() -> None:
    """A missing file has none, and a line that is not there cannot be shown."""
    screen, stream = said()
    screen.fault(Fault("f.yaml", 0, 0, "There is no such file.", "Check the path."), {})
    screen.fault(Fault("f.yaml", 7, 1, "Gone."), {"f.yaml": "one line"})
    assert text_of(stream) == (
        "f.yaml: error: There is no such file.\n    Check the path.\nf.yaml:7:1: error: Gone.\n"
    )


def test_the_first_line_is_whole_in_a_pipe_and_fits_a_terminal() -> None:
    """Editors and CI read ``file:line:column: …`` from one line; a person's window is narrow."""
    long = Fault("f.yaml", 1, 1, "word " * 40, "", is_warning=True)
    screen, stream = said()
    screen.fault(long, {})
    watched, watched_stream = said(is_watched=True)
    watched.fault(long, {})
    assert len(text_of(stream).splitlines()) == 1
    assert text_of(stream).startswith("f.yaml:1:1: warning: word word")
    assert all(len(line) <= 80 for line in text_of(watched_stream).splitlines())


def test_a_fault_for_machines() -> None:
    """What has no place says null, and no zero that looks like a line."""
    assert fault_json(Fault("f", 0, 0, "a.", "b.")) == {
        "file": "f",
        "line": None,
        "column": None,
        "level": "error",
        "what": "a.",
        "cure": "b.",
    }
    assert fault_json(Fault("f", 2, 3, "a.", "b.", is_warning=True))["level"] == "warning"


def test_json_is_ascii() -> None:
    """Any encoding carries it, and no control of a text is left in it."""
    screen, stream = said()
    screen.json({"a": "例\x1b"})
    assert text_of(stream) == '{\n  "a": "\\u4f8b\\u001b"\n}\n'
