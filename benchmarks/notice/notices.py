"""The notices that are measured: what each puts into the page, and where its choices are found.

Has never heard of a browser. The peers are what npm has of them, minified by their makers, and set
up as their own documentation says, with three purposes and English texts. Where a peer documents a
lighter way as well, that is a row of its own.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_HERE: Final = Path(__file__).parent
KEPT: Final = _HERE.parents[1] / ".venv" / "npm"
"""Where `scripts/setup` puts packages of npm."""

_ASSETS: Final = "*/consent/assets/*.js"
_FILES: Final = "*/notice/*.js*"


class Package(NamedTuple):
    """A package of npm."""

    name: str
    version: str

    @property
    def packed(self) -> str:
        """The file name that ``npm pack`` gives it."""
        return f"{self.name}-{self.version}.tgz"


COOKIECONSENT: Final = Package("vanilla-cookieconsent", "3.1.0")
KLARO: Final = Package("klaro", "0.7.22")
TARTEAUCITRON: Final = Package("tarteaucitronjs", "1.34.0")
OREJIME: Final = Package("orejime", "3.2.1")
PACKAGES: Final = (COOKIECONSENT, KLARO, TARTEAUCITRON, OREJIME)


class Choices(NamedTuple):
    """Selectors of the three things a visitor may press."""

    reject: str
    accept: str
    more: str


class Notice(NamedTuple):
    """One row of the table.

    `head` stands at the end of the page's head, `foot` before the end of its body. `config` is the
    site's own script for the notice, and `/notice/config.js` its address; files of the package are
    below ``/notice/``. `layout` makes it consentkit's, which is not written into the page by hand.
    """

    name: str
    host: str
    choices: Choices | None = None
    layout: str | None = None
    package: Package | None = None
    head: str = ""
    foot: str = ""
    config: str = ""
    scripts: str = _FILES
    """The addresses of its scripts, as a pattern with ``*``."""
    is_blocked: bool = False
    """True: the scripts are kept out, as by a content blocker or a network that fails."""


_OURS: Final = Choices(
    "#consentkit button[value=reject-all]",
    "#consentkit button[value=accept-all]",
    "#consentkit form a",
)


def _own(layout: str) -> Notice:
    return Notice(
        f"consentkit, {layout}", f"consentkit-{layout}", _OURS, layout=layout, scripts=_ASSETS
    )


def _config(name: str) -> str:
    return (_HERE / "peers" / f"{name}.js").read_text("utf-8")


def _style(path: str) -> str:
    return f'<link rel="stylesheet" href="/notice/{path}">'


def _script(path: str, *, how: str = "defer") -> str:
    return f'<script {how} src="/notice/{path}"></script>'


def _cookieconsent() -> Iterator[Notice]:
    config = _config(COOKIECONSENT.name)
    plain = Notice(
        f"vanilla-cookieconsent {COOKIECONSENT.version}",
        "cookieconsent",
        Choices(
            '#cc-main .cm [data-role="necessary"]',
            '#cc-main .cm [data-role="all"]',
            '#cc-main .cm [data-role="show"]',
        ),
        package=COOKIECONSENT,
        head=_style("dist/cookieconsent.css"),
        # Its "Getting started": the module imports the library, so one comes after the other.
        foot=_script("config.js", how='type="module"'),
        config="import '/notice/dist/cookieconsent.umd.js';\n" + config,
    )
    yield plain
    yield plain._replace(
        name=f"{plain.name}, both scripts deferred",
        host="cookieconsent-deferred",
        foot=_script("dist/cookieconsent.umd.js") + _script("config.js"),
        config=config,
    )


def _klaro() -> Iterator[Notice]:
    yield Notice(
        f"Klaro {KLARO.version}",
        "klaro",
        Choices(
            "#klaro .cookie-notice .cn-decline",
            "#klaro .cookie-notice .cm-btn-success",
            "#klaro .cookie-notice .cn-learn-more",
        ),
        package=KLARO,
        head=_style("dist/klaro.min.css") + _script("config.js") + _script("dist/klaro-no-css.js"),
        config=_config(KLARO.name),
    )


def _tarteaucitron() -> Iterator[Notice]:
    config = _config("tarteaucitron")
    plain = Notice(
        f"tarteaucitronjs {TARTEAUCITRON.version}",
        "tarteaucitron",
        Choices(
            "#tarteaucitronAllDenied2", "#tarteaucitronPersonalize2", "#tarteaucitronCloseAlert"
        ),
        package=TARTEAUCITRON,
        head=_script("tarteaucitron.min.js", how="") + f"<script>{config}</script>",
    )
    yield plain
    yield plain._replace(
        name=f"{plain.name}, own services only, deferred",
        host="tarteaucitron-light",
        head=_style("css/tarteaucitron.min.css")
        + _script("tarteaucitron.min.js")
        + _script("lang/tarteaucitron.en.min.js")
        + _script("config.js"),
        config=config.replace("useExternalCss: false", "useExternalCss: true").replace(
            "useExternalJs: false", "useExternalJs: true"
        ),
    )


def _orejime() -> Iterator[Notice]:
    yield Notice(
        f"orejime {OREJIME.version}",
        "orejime",
        Choices(
            ".orejime-Banner-declineButton",
            ".orejime-Banner-saveButton",
            ".orejime-Banner-learnMoreButton",
        ),
        package=OREJIME,
        head=_style("dist/orejime-standard.css")
        + f"<script>{_config(OREJIME.name)}</script>"
        + _script("dist/orejime-standard-en.js"),
    )


NOTICES: Final = (
    Notice("no notice", "bare"),
    _own("top"),
    _own("bottom"),
    _own("top")._replace(name="consentkit, top, its script blocked", is_blocked=True),
    *_cookieconsent(),
    *_klaro(),
    *_tarteaucitron(),
    *_orejime(),
)
"""Every row, in the order of the table; the first is the page itself."""
BARE: Final = NOTICES[0]
FIRST: Final = NOTICES[1]
"""What the ratios are to."""


class MissingPackageError(Exception):
    """A peer is neither on this machine nor to be had."""


def fetch(folder: Path) -> None:
    """Put the packages that are not yet in `folder` there, with ``npm pack``."""
    missing = [package for package in PACKAGES if not (folder / package.packed).exists()]
    if not missing:
        return
    wanted = [f"{package.name}@{package.version}" for package in missing]
    if shutil.which("npm") is None:
        raise MissingPackageError(f"{', '.join(wanted)} not in {folder}, and no npm: install npm")
    subprocess.run(
        ["npm", "pack", "--silent", *wanted],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=300,
    )


def files_of(package: Package, folder: Path) -> dict[str, bytes]:
    """The style sheets and scripts of a package, by their paths in it."""
    with tarfile.open(fileobj=io.BytesIO((folder / package.packed).read_bytes())) as archive:
        return {
            member.name.partition("/")[2]: read.read()
            for member in archive
            if member.name.endswith((".js", ".css")) and (read := archive.extractfile(member))
        }
