"""``{terminal} command``: runs the command when the page is built, and shows what a terminal shows.

It has never heard of what the command does: it gives it a terminal, and draws what comes out.

The command runs in a new folder. In it are the files that stand in blocks above on the page, named
in their first line (``# consent.yaml``), and those of the option ``:files:``, paths in the project.
`consentkit` is the one of this tree. Options: ``:exits:``, the code it must end with (0), else the
build fails; ``:columns:``, how wide the terminal is (80); ``:both:`` shows it on a light and on a
dark ground, one after the other, where otherwise one panel follows the page.

Colours keep their tone and get as much lighter or darker as they need for a contrast of 4.5 to 1
to the ground (WCAG 2.2, 1.4.3). It needs a system with pseudo-terminals.
"""

import fcntl
import html
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Timer

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "docs" / "_static"
NAMED = re.compile(r"# (?P<name>[\w.-]+\.[a-z]+)\n")
SECONDS = 60

# As in terminal.css.
GROUNDS = {"light": (255, 255, 255), "dark": (13, 17, 23)}
LEAST_CONTRAST = 4.5

Colour = tuple[int, int, int]

NAMES = (
    *((0, 0, 0), (205, 49, 49), (13, 188, 121), (229, 229, 16)),
    *((36, 114, 200), (188, 63, 188), (17, 168, 205), (229, 229, 229)),
    *((102, 102, 102), (241, 76, 76), (35, 209, 139), (245, 245, 67)),
    *((59, 142, 234), (214, 112, 214), (41, 184, 219), (255, 255, 255)),
)
STEPS = (0, 95, 135, 175, 215, 255)

ESCAPE = re.compile(
    r"\x1b\[(?P<sgr>[0-9;]*)m"  # a colour or a weight
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # the cursor moves, a line is cleared
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # a title, a link
    r"|\x1b[@-_]"
)


# Colours


def of_palette(number: int) -> Colour:
    """A colour of the palette of 256."""
    if number < len(NAMES):
        return NAMES[number]
    if number < 232:
        number -= 16
        return STEPS[number // 36], STEPS[number // 6 % 6], STEPS[number % 6]
    grey = 8 + 10 * (number - 232)
    return grey, grey, grey


def luminance(colour: Colour) -> float:
    """Relative luminance, from 0 to 1 (WCAG 2.2)."""
    parts = (value / 255 for value in colour)
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    """From 1 to 21 (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def legible(colour: Colour, ground: Colour) -> Colour:
    """The nearest shade of a colour that can be read on this ground."""
    end = 0 if luminance(ground) > 0.18 else 255
    for share in range(101):
        shade = tuple(round(value + (end - value) * share / 100) for value in colour)
        if contrast(shade, ground) >= LEAST_CONTRAST:
            return shade
    return (end, end, end)


# What came out, as HTML

MEANT = {
    1: {"bold": True},
    3: {"italic": True},
    4: {"underlined": True},
    22: {"bold": False},
    23: {"italic": False},
    24: {"underlined": False},
    39: {"colour": None},
    **{30 + number: {"colour": colour} for number, colour in enumerate(NAMES[:8])},
    **{90 + number: {"colour": colour} for number, colour in enumerate(NAMES[8:])},
}
"""What the codes of an escape sequence change (ECMA-48, SGR); grounds and blinking are left out."""


@dataclass(frozen=True)
class Style:
    """How the text is written from here on. Grounds are left out: the panel has one."""

    colour: Colour | None = None
    bold: bool = False
    italic: bool = False
    underlined: bool = False

    def after(self, codes: list[int]) -> "Style":
        """The style after an escape sequence (ECMA-48, SGR)."""
        style = self
        rest = iter(codes or [0])
        for code in rest:
            style = style.with_code(code, rest)
        return style

    def with_code(self, code: int, rest: Iterator[int]) -> "Style":
        if code == 0:
            return Style()
        if code in (38, 48):
            colour = extended(rest)
            return replace(self, colour=colour) if code == 38 else self
        return replace(self, **MEANT.get(code, {}))

    def html(self, text: str) -> str:
        classes = [name for name in ("bold", "italic", "underlined") if getattr(self, name)]
        shades = ""
        if self.colour:
            classes.append("coloured")
            both = {name: legible(self.colour, ground) for name, ground in GROUNDS.items()}
            shades = ";".join(f"--on-{name}:#{bytes(rgb).hex()}" for name, rgb in both.items())
            shades = f' style="{shades}"'
        escaped = html.escape(text)
        return f'<span class="{" ".join(classes)}"{shades}>{escaped}</span>' if classes else escaped


def extended(rest: Iterator[int]) -> Colour | None:
    """The colour after 38 or 48: one of the palette, or red, green and blue."""
    if next(rest, 0) == 5:
        return of_palette(next(rest, 0))
    return next(rest, 0), next(rest, 0), next(rest, 0)


def to_html(output: str) -> str:
    """Text with escape sequences as HTML; what is no colour and no weight is left out."""
    style, at, made = Style(), 0, []
    for found in ESCAPE.finditer(output):
        made.append(style.html(output[at : found.start()]) if at < found.start() else "")
        if found["sgr"] is not None:
            style = style.after([int(code or 0) for code in found["sgr"].split(";")])
        at = found.end()
    return "".join([*made, style.html(output[at:]) if at < len(output) else ""])


# The command


def run(command: str, folder: Path, columns: int) -> tuple[str, int]:
    """What a command writes to a terminal, and the code that it ends with."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    options = {"cwd": folder, "env": surroundings(folder), "stdin": subprocess.DEVNULL}
    try:
        running = subprocess.Popen(  # noqa: S602 - a page's own command, with pipes and all
            command, shell=True, stdout=theirs, stderr=theirs, **options
        )
    finally:
        os.close(theirs)
    patience = Timer(SECONDS, running.kill)
    patience.start()
    try:
        output = b"".join(written(ours))
        code = running.wait()
    finally:
        patience.cancel()
        os.close(ours)
    return output.decode("utf-8", "replace").replace("\r\n", "\n"), code


def written(descriptor: int) -> Iterator[bytes]:
    """All that is written, until nobody is left who could write."""
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:  # Linux says so when the last one has gone
            return
        if not part:
            return
        yield part


def surroundings(folder: Path) -> dict[str, str]:
    """The variables of the command: a colour terminal, and the `consentkit` of this tree."""
    commands = folder.parent / "bin"
    commands.mkdir(exist_ok=True)
    program = commands / "consentkit"
    program.write_text(f"#!{sys.executable}\nfrom consentkit.cli import main\n\nmain()\n")
    program.chmod(0o755)
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
    path = os.pathsep.join([str(commands), str(Path(sys.executable).parent), kept.get("PATH", "")])
    ours = {"PATH": path, "PYTHONPATH": str(ROOT / "src"), "HOME": str(folder)}
    return {"LANG": "C.UTF-8"} | kept | ours | {"TERM": "xterm-256color", "PYTHONUTF8": "1"}


class Terminal(SphinxDirective):
    """A panel with the command and all that it wrote."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {  # noqa: RUF012 - docutils reads it from the class
        "files": directives.unchanged,
        "exits": directives.nonnegative_int,
        "columns": directives.positive_int,
        "both": directives.flag,
    }

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()  # what the command says depends on more than this page
        command = " ".join(self.arguments[0].split())
        with tempfile.TemporaryDirectory() as space:
            folder = Path(space) / "site"
            folder.mkdir()
            self.lay_out(folder)
            output, code = run(command, folder, self.options.get("columns", 80))
        expected = self.options.get("exits", 0)
        if code != expected:
            place = self.get_location()
            message = "%r ended with %d and not with %d:\n%s"
            logger.warning(message, command, code, expected, output, location=place)
        elif space in output:
            logger.warning("%r names a folder of its own", command, location=self.get_location())
        return [nodes.raw("", self.figure(command, output.rstrip("\n")), format="html")]

    def lay_out(self, folder: Path) -> None:
        """Write the files that the command finds."""
        for block in self.state.document.findall(nodes.literal_block):
            if named := NAMED.match(block.astext() + "\n"):
                (folder / named["name"]).write_text(block.astext() + "\n", "utf-8")
        for name in self.options.get("files", "").split():
            self.env.note_dependency(str(ROOT / name))
            shutil.copy(ROOT / name, folder)

    def figure(self, command: str, output: str) -> str:
        text = (
            '<span class="prompt" aria-hidden="true">$ </span>'
            f'<span class="bold">{html.escape(command)}</span>\n{to_html(output)}'
        )
        label = html.escape(f"What a terminal shows after {command}", quote=True)
        if "both" in self.options:
            # The second is the first again, so whoever listens hears it once.
            panels = (
                f'<pre class="light" tabindex="0">{text}</pre>'
                f'<pre class="dark" aria-hidden="true">{text}</pre>'
            )
        else:
            panels = f'<pre class="as-the-page" tabindex="0">{text}</pre>'
        return f'<div class="terminal" role="group" aria-label="{label}">{panels}</div>'


def add_styles(_: Sphinx, config: Config) -> None:
    if str(STATIC) not in config.html_static_path:
        config.html_static_path.append(str(STATIC))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("terminal", Terminal)
    app.connect("config-inited", add_styles)
    app.add_css_file("terminal.css")
    return {"parallel_read_safe": True}
