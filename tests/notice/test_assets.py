"""The files for the browser: what is squeezed out of them, their sizes, their names."""

import gzip
import hashlib
import re
import sys
from importlib.resources import files
from typing import TYPE_CHECKING

import brotli
import pytest

from consentkit.notice.assets import (
    ASSETS,
    SHEETS,
    _brotli,
    asset,
    assets_of,
    scripts_of,
    squeezed_script,
    squeezed_style,
    stylesheet,
)
from tests.notice import policy_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

KIB = 1024


def source(name: str) -> str:
    return files("consentkit.notice").joinpath("assets", name).read_text("utf-8")


def packed(name: str) -> int:
    found = asset(name).brotli
    assert found is not None, "the suite has brotli"
    return len(found)


# The files


def test_what_every_page_loads_is_four_kilobytes() -> None:
    """DESIGN §6: the style sheet and the script together, as they travel."""
    assert packed("consent.css") + packed("consent.js") <= 4 * KIB


def test_the_guard_is_one_kilobyte() -> None:
    """It blocks the page's first script, so it is small."""
    assert packed("guard.js") <= KIB


@pytest.mark.parametrize("name", ASSETS)
def test_a_file_is_named_by_its_content(name: str) -> None:
    """So it may be kept for ever: another content is another name."""
    found = asset(name)
    stem, _, kind = name.rpartition(".")
    assert found.name == f"{stem}.{hashlib.sha256(found.body).hexdigest()[:12]}.{kind}"
    assert found.content_type.startswith({"css": "text/css", "js": "text/javascript"}[kind])
    assert found is asset(name)


@pytest.mark.parametrize("name", ASSETS)
def test_the_twins_hold_the_same(name: str) -> None:
    """A browser that unpacks gets what one without gets."""
    found = asset(name)
    assert found.brotli is not None
    assert gzip.decompress(found.gzip) == brotli.decompress(found.brotli) == found.body
    assert len(found.brotli) < len(found.gzip) < len(found.body) < len(source(name).encode())


def test_without_the_module_there_is_no_brotli(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not a dependency; the control: with it there is."""
    assert _brotli(b"body")
    monkeypatch.setitem(sys.modules, "brotli", None)
    assert _brotli(b"body") is None


def test_no_other_file_is_served() -> None:
    """The templates beside them are nobody's business."""
    for name in ("banner.html", "../text.py", ""):
        with pytest.raises(KeyError):
            asset(name)


def test_a_policy_has_the_files_it_uses() -> None:
    """Nothing of an integration is served where none is used."""
    plain = policy_of()
    assert scripts_of(plain) == ()
    names = [found.name.partition(".")[0] for found in assets_of(plain)]
    assert names == ["consent", "pages", "embed", "consent"]
    used = policy_of(
        guard=True,
        integrations={
            "google-consent-mode": {"signals": {"ad_storage": "embeds"}},
            "microsoft-clarity": {"ad-storage": "embeds"},
            "microsoft-uet": {"ad-storage": "embeds"},
            "matomo": {"purpose": "analytics"},
        },
    )
    expected = ("guard.js", "google-consent-mode.js", "microsoft.js", "matomo.js")
    assert scripts_of(used) == expected
    assert [*assets_of(used)] == [*assets_of(plain), *map(asset, expected)]


def test_the_style_sheet_is_one_of_them() -> None:
    """Pages and endpoints ask for it by a name of its own; our own pages have a second one."""
    assert stylesheet() is asset("consent.css")
    assert SHEETS == ("consent.css", "pages.css")
    assert {*SHEETS} < {*ASSETS}


def test_what_a_sites_own_page_shows_needs_the_first_sheet_alone() -> None:
    """Nothing of our own pages travels with every page of the site."""
    for ours in ("consentkit-page", "consentkit-dialog", "role=switch", "table", "details"):
        assert ours in asset("pages.css").body.decode()
        assert ours not in asset("consent.css").body.decode()
    for theirs in ("consentkit-banner", "consentkit-line", "consentkit-saved"):
        assert theirs in asset("consent.css").body.decode()
        assert theirs not in asset("pages.css").body.decode()


# Squeezing


@pytest.mark.parametrize(
    ("written", "squeezed"),
    [
        ("/* a */\na { color: red; }\n", "a{color:red}"),
        ("a { b: c; /* d */ }", "a{b:c}"),
        ("a { b: c;\n\n  /* d */\n  e: f }", "a{b:c;e:f}"),
        ("a , b > c :is(d, e) { f: g }", "a,b > c :is(d,e){f:g}"),
        ('a::before { content: " /* { ; } */ " }', 'a::before{content:" /* { ; } */ "}'),
        ("a { content: ' \\' ; ' }", "a{content:' \\' ; '}"),
        ("/* it's */ a { b: c }", "a{b:c}"),
        (
            "@media (min-width: 1em) and (x) { a { b: c } }",
            "@media (min-width:1em) and (x){a{b:c}}",
        ),
        ("a { width: calc(1em + 2px) }", "a{width:calc(1em + 2px)}"),
        ("a:not(#_) ::before { font: 1em/1.5 b }", "a:not(#_) ::before{font:1em/1.5 b}"),
    ],
)
def test_a_style_sheet_keeps_what_means_something(written: str, squeezed: str) -> None:
    """A blank may be a combinator, or an operator's own; a string is nobody's to change."""
    assert squeezed_style(written) == squeezed


@pytest.mark.parametrize(
    ("written", "squeezed"),
    [
        ("// a\nb( 1 )\n", "b(1)"),
        ("/** a\n * b */\nc()\nd()", "c()\nd()"),
        ("if (a) {\n  b()\n}\nelse {\n  c()\n}", "if(a){b()}\nelse{c()}"),
        ("f(\"// no\", '/* no */', `a  ${ b } //`)", "f(\"// no\",'/* no */',`a  ${ b } //`)"),
        ('f("a\\"b  c")', 'f("a\\"b  c")'),
        ("f(/a  [/] \\/ b/g, c)", "f(/a  [/] \\/ b/g,c)"),
        ("f(a / b, c / d)", "f(a/b,c/d)"),
        ("f(a + +b, a - -b, a + b)", "f(a+ +b,a- -b,a+b)"),
        ("return typeof a in b", "return typeof a in b"),
        ("a =\n  b ??\n  c", "a=b??c"),
        ("f()\n  .g()", "f().g()"),
        ("f()\n;[a] = b", "f()\n;[a]=b"),
        ("const long = 1\nf(long)", "const a=1\nf(a)"),
        ("let [one, two] = f()\ng(one, two)", "let[a,b]=f()\ng(a,b)"),
        ("const f1 = (one, two) => one + two", "const a=(b,c)=>b+c"),
        ("const f1 = (one, two = one) => one + two", "const a=(b,c=b)=>b+c"),
        ("const f1 = one => one", "const a=b=>b"),
        ("const f1 = (one, two = 3) => one + two", "const a=(b,c=3)=>b+c"),
        ("const f1 = (one, two = one) => two", "const a=(b,c=b)=>c"),
        ("const long = 1\na(long)", "const b=1\na(b)"),
        ("const name = 1\na.name = name", "const name=1\na.name=name"),
        ("const name = 1\na?.name", "const name=1\na?.name"),
        ("const name = 1\nf({ name })", "const name=1\nf({name})"),
        ("const name = 1\nf({ name: 2 })", "const name=1\nf({name:2})"),
        ("const name = 1\nf({ ...name })", "const a=1\nf({...a})"),
        ("const { name } = a\nconst own = name", "const{name}=a\nconst b=name"),
        ("const name = 1\nf(`${name}`)", "const name=1\nf(`${name}`)"),
        ("const long = 1\nif (a) { long.b() }", "const c=1\nif(a){c.b()}"),
        ('const long = 1\nf("long")', 'const a=1\nf("long")'),
    ],
)
def test_a_script_keeps_what_means_something(written: str, squeezed: str) -> None:
    """Only a name that can be nothing but the script's own gets another."""
    assert squeezed_script(written) == squeezed


def test_a_script_of_many_names_gives_each_another() -> None:
    """Two signs where the letters are used up; none of them is a word of the language."""
    names = [f"name{number}" for number in range(200)]
    text = "".join(f"const {name} = 1\n" for name in names) + f"do{{f({', '.join(names)})}}while(0)"
    short = re.findall(r"const (\w+)=1", squeezed_script(text))
    assert len({*short}) == len(names)
    assert {*short}.isdisjoint({"do", "if", "in", "of", "as", "is", "f", *names})
    assert max(map(len, short)) == 2
    assert f"f({','.join(short)})" in squeezed_script(text)


LITERAL = re.compile(r'"[^"\n]*"|`[^`]*`|/\^[^\n]*?/[a-z]*(?=\.test|\.exec)')


@pytest.mark.parametrize("name", [name for name in ASSETS if name.endswith(".js")])
def test_no_literal_changes(name: str) -> None:
    """Strings, template literals and regular expressions are the same, in the same order."""
    code = re.sub(r"^ *(//|/\*\*|\*).*$", "", source(name), flags=re.MULTILINE)
    found = LITERAL.findall(code)
    assert LITERAL.findall(asset(name).body.decode()) == found
    assert len(found) > 3


@pytest.mark.parametrize("name", [name for name in ASSETS if name.endswith(".js")])
def test_the_files_keep_to_the_style_that_squeezing_needs(name: str) -> None:
    """A template literal ends on its line, and no name of a script's own is a browser's word."""
    text = source(name)
    assert not [line for line in text.splitlines() if line.count("`") % 2]
    declared = re.findall(r"\b(?:const|let) (\w+)", text)
    words = {"document", "location", "self", "window", "history", "navigator", "event"}
    assert words.isdisjoint(declared)


CALCULATION = """
// a comment with "quotes" and `ticks`
const first = [3, 1, 2].sort((one, other) => one - other)
const half = value => value / 2 / 1
const times = (value, by = half(4)) => value * by
let text = `a  ${first.map(half)}`
for (const [at, one] of first.entries()) {
  if (one > 1) text += "  //" + at
  else text += '/* no */'
}
const found = /[/"']+ \\/ x/.test('"/ / x') ? +first[0] - -1 : 0
const { length, ...rest } = { length: first.length, half: 1 }
JSON.stringify({ text, found, length, rest, six: times(3), keys: Object.keys({ first, half }) })
"""


def test_what_a_script_does_stays_the_same(browser: "Browser") -> None:
    """The judge is an engine: as it is written and as it is squeezed, one result."""
    page = browser.new_page()
    squeezed = squeezed_script(CALCULATION)
    assert len(squeezed) < len(CALCULATION)
    run = "text => (0, eval)(text)"
    assert page.evaluate(run, f"{{{squeezed}}}") == page.evaluate(run, f"{{{CALCULATION}}}")
    assert '"six":6,"keys":["first","half"]' in page.evaluate(run, f"{{{squeezed}}}")
    page.close()
