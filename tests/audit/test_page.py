"""The report as a page: it is one file, it is HTML, and nothing that a site says can act in it."""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from html import escape
from itertools import pairwise
from pathlib import Path

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from justhtml import JustHTML

from consentkit.audit.findings import Report
from consentkit.audit.kinds import Finding, FindingKind
from consentkit.audit.page import report_page
from consentkit.audit.seen import (
    Act,
    Banner,
    Look,
    Scan,
    SeenCookie,
    SeenItem,
    SeenRequest,
    State,
    Violation,
    Visit,
    Witness,
)
from consentkit.rules.policy import Where
from tests.audit.reports import ACCEPT, EMPTY, FINDINGS, GOOD, REPORT, SCAN, policy

PIXEL = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
HOSTILE = "</style></title><script>alert(1)</script><img src=x onerror=alert(2)>\"'{{7*7}}\u202egnp"
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def page(report: Report = REPORT, folder: Path | None = None) -> str:
    return report_page(report, policy() if report.policy_file else None, folder)


def text_of(html: str) -> str:
    body = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def elements(html: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Every element with its attributes, as a browser's parser sees them."""
    tree = html5lib.parse(html, namespaceHTMLElements=False)
    for each in tree.iter():
        if isinstance(each.tag, str):
            yield each.tag.rpartition("}")[2], dict(each.attrib)


def pictured(*names: str) -> Report:
    """A report with a screenshot for each of the first states."""
    shots = {visit.state: name for visit, name in zip(SCAN.visits, names, strict=False)}
    visits = tuple(
        replace(visit, screenshot=shots.get(visit.state)) if visit.page == "/" else visit
        for visit in SCAN.visits
    )
    return replace(REPORT, scan=replace(SCAN, visits=visits))


# One file


def test_it_loads_nothing_and_runs_nothing() -> None:
    """It is sent by e-mail and kept for years: whoever opens it tells nobody."""
    for name, attributes in elements(page()):
        assert name not in {"script", "link", "iframe", "object", "embed", "form", "base", "audio"}
        assert not any(key.startswith("on") or key == "style" for key in attributes)
        for key in ("src", "href", "srcset", "action", "poster", "data"):
            assert attributes.get(key, "#").startswith(("#", "data:"))
    assert "@import" not in page()
    assert "url(" not in page()


def test_its_own_policy_lets_in_its_style_and_pictures_alone() -> None:
    """Content-Security-Policy by hash: even markup that got in could not act."""
    html = page()
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    (said,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert said == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )


@pytest.mark.parametrize("report", [REPORT, GOOD, EMPTY, replace(REPORT, policy_file=None)])
def test_it_is_html_as_the_standard_has_it(report: Report) -> None:
    """Two parsers that others wrote find nothing to mend."""
    html = page(report)
    html5lib.HTMLParser(strict=True).parse(html)
    assert not JustHTML(html, strict=False).errors


@pytest.mark.parametrize("report", [REPORT, GOOD, EMPTY])
def test_headings_go_down_one_step_at_a_time(report: Report) -> None:
    """Whoever listens to a page goes from heading to heading (WCAG 2.2, 1.3.1)."""
    levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", page(report))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_table_has_a_caption_and_scopes() -> None:
    """A cell means nothing without its heads."""
    html = page()
    tables = re.findall(r"<table.*?</table>", html, re.DOTALL)
    assert len(tables) > 8
    for table in tables:
        assert "<caption" in table
        assert not re.search(r"<th(?![^>]*scope=)[ >]", table)


def test_ids_are_there_once_and_what_points_to_them_arrives() -> None:
    """A link within the page that leads nowhere is worse than none."""
    found = list(elements(page()))
    ids = [attributes["id"] for _, attributes in found if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in found:
        targets = attributes.get("aria-labelledby", "").split()
        targets += [attributes["href"][1:]] if "href" in attributes else []
        assert set(targets) <= set(ids)


# What it says


def test_the_verdict_is_one_sentence() -> None:
    """Whoever reads nothing else has read the outcome."""
    assert "5 errors, 1 warning, 1 note on 6 pages in 5 states." in page()
    assert "Nothing that differs was found on 6 pages in 5 states." in page(GOOD)
    assert "Nothing could be judged: no page was seen." in page(EMPTY)
    known = Report(SCAN, (), "consent.yaml", FINDINGS)
    assert "was found on 6 pages in 5 states, beside 7 findings in the baseline." in page(known)
    some = Report(SCAN, FINDINGS[:1], "consent.yaml", FINDINGS[1:], gone=("a:b:c",))
    assert "1 error on 6 pages in 5 states, beside 6 findings in the baseline." in page(some)
    assert "1 of the baseline not found any more" in page(some)


def test_it_never_calls_a_site_compliant() -> None:
    """A scan finds differences; it has no opinion of the law."""
    assert "complian" not in (page() + page(GOOD)).lower()


def test_every_finding_has_its_place_its_rule_its_cure_and_its_yaml() -> None:
    """The same facts as on the terminal, and in the table a link to each."""
    text = page()
    for number, finding in enumerate(FINDINGS, 1):
        assert f'<a href="#finding-{number}">' in text
        assert escape(finding.what, quote=True).replace("&#x27;", "&#39;") in text
        for line in finding.draft.splitlines():
            assert f"{line}\n" in text
    assert "<code>consent.yaml:14</code>" in text
    assert "22 November 2026, 03:00 UTC" in text
    assert "<bdi>consent.yaml, revision 3</bdi>" in text


def test_the_worst_stands_first() -> None:
    """The order of the report is kept, which has it."""
    found = re.findall(r'<article class="one finding (\w+)"', page())
    assert found == [finding.severity.value for finding in FINDINGS]


def test_filters_are_there_for_what_is_there() -> None:
    """A button for a kind that nothing is of would be a dead end."""
    html = page()
    assert html.count('name="severity"') == 4
    assert html.count('name="state"') == 6
    assert html.count('name="kind"') == 8
    assert 'id="kind-no-banner"' not in html
    assert html.count(" checked") == 3
    assert "<input" not in page(GOOD)


@pytest.mark.parametrize("group", ["severity", "kind", "state"])
def test_each_filter_has_its_rule(group: str) -> None:
    """Without a script it is the style sheet that leaves rows away."""
    html = page()
    for pressed in re.findall(rf'id="{group}-([\w-]+)"', html):
        rule = f"#findings:has(#{group}-{pressed}:checked) .one:not("
        assert (rule in html) is (pressed != "all")


def test_cookies_are_told_with_their_life_their_declaration_and_their_states() -> None:
    """One row for each, and a number where it was seen."""
    row = re.search(r"<tr><th scope=\"row\"><code>_ga</code>.*?</tr>", page(), re.DOTALL)
    assert row
    text = " ".join(text_of(row[0]).split())
    assert text == (
        "_ga library.example _ga (counting) analytics 2 years no attributes script "
        "tag.counter.example/gtag.js 6 \N{EN DASH} none 6 6 6"
    )


def test_without_a_policy_the_catalogue_speaks() -> None:
    """`Known as` is a label, and no declaration."""
    report = replace(REPORT, policy_file=None)
    assert "Known as" in page(report)
    assert "known: Google" in page(report)
    assert "Declared as" not in page(report)


def test_what_headers_cannot_see_is_not_shown_as_nothing() -> None:
    """Markup names third parties, and tells neither of scripts nor of moments."""
    html = page(replace(REPORT, scan=replace(SCAN, witness=Witness.HEADERS)))
    assert "that the markup of a page names" in html
    assert "that a page asked for something" in page()
    assert 'href="#seconds"' not in html
    assert 'href="#seconds"' in page()
    assert "seen by headers alone" in html
    bare = replace(GOOD, scan=replace(GOOD.scan, witness=Witness.HEADERS))
    assert "The markup names no other host." in page(bare)
    assert "Nothing was left in web storage." not in page(bare)


def test_nothing_seen_is_said_in_words() -> None:
    """An empty table is a puzzle."""
    text = text_of(page(GOOD))
    for sentence in (
        "No cookie was stored.",
        "Nothing was left in web storage.",
        "No other host was asked for anything.",
        "No banner was seen.",
        "Nothing was found that differs.",
        "Nothing was stored, and nothing was asked of others.",
    ):
        assert sentence in text
    assert "Nothing could be compared." in text_of(page(EMPTY))


def test_a_timeline_has_words_a_table_and_one_scale() -> None:
    """Who cannot see marks reads them; states are compared at a glance."""
    html = page()
    assert html.count('role="img"') == 5
    assert (
        "3 cookies, 1 third-party cookie, 4 requests to third parties; the first after 38 ms."
        in (html)
    )
    assert html.count(">1 s</text>") == 5
    late = Visit("/", State.UNTOUCHED, 200, (SeenCookie("x", "a.example", moment=7300),))
    assert ">10 s</text>" in page(replace(REPORT, scan=replace(SCAN, visits=(late,))))
    assert "What happened after <code>/films/the-river?from=home</code> was asked for." in html


@pytest.mark.parametrize(("last", "scale"), [(0, 1), (1000, 1), (1001, 2), (2400, 5), (9000, 10)])
def test_a_scale_is_a_round_number(last: int, scale: int) -> None:
    """1, 2, 5, 10, 20, 50 seconds."""
    visit = Visit("/", State.UNTOUCHED, 200, (SeenCookie("x", "a.example", moment=last),))
    assert f">{scale} s</text>" in page(replace(REPORT, scan=replace(SCAN, visits=(visit,))))


def test_first_pages_that_differ_are_not_called_by_one_name() -> None:
    """A page that failed in one state makes another the first there."""
    visits = (Visit("/a", State.UNTOUCHED, 200), Visit("/b", State.REFUSED, 200))
    assert "What happened after <code>/a</code>" in page(
        replace(REPORT, scan=replace(SCAN, visits=visits[:1]))
    )
    html = page(replace(REPORT, scan=replace(SCAN, visits=visits)))
    assert "What happened after <code>its first page</code>" in html


# The banner


def test_the_two_buttons_are_compared_side_by_side() -> None:
    """A refusal that is smaller, paler or further away is a finding for the eye too."""
    text = text_of(page())
    assert "Size 92 by 32 px 148 by 44 px" in text
    assert "Type 13 px, weight 400 16 px, weight 600" in text
    assert 'fill="rgb(29, 65, 97)"' in page()
    assert "No known tool made it." in text
    assert "It breaks rules of axe-core: color-contrast." in text


@pytest.mark.parametrize(
    ("banner", "words"),
    [
        (Banner("Cookiebot", axe=()), "Cookiebot made it. axe-core finds nothing wrong with it."),
        (Banner("unknown", ACCEPT), "axe-core was not there to ask."),
        (Banner("unknown", ACCEPT), "Says not on the first layer Accept all"),
    ],
)
def test_a_banner_is_told_in_words(banner: Banner, words: str) -> None:
    """Also one that has half of what it needs."""
    visit = Visit("/", State.UNTOUCHED, 200, banner=banner)
    assert words in text_of(page(replace(REPORT, scan=replace(SCAN, visits=(visit,)))))


def test_a_colour_that_is_none_is_not_drawn() -> None:
    """A computed colour is the site's word, and goes into an attribute."""
    look = Look("OK", 1, 1, 1, "400", 'red"/><script>', "url(//x.example)")
    visit = Visit("/", State.UNTOUCHED, 200, banner=Banner("unknown", look, look))
    html = page(replace(REPORT, scan=replace(SCAN, visits=(visit,))))
    assert 'class="sample"' not in html
    assert 'class="sample"' in page()


# Colours


def luminance(colour: str) -> float:
    """Relative luminance of #rgb or #rrggbb (WCAG 2.2)."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * each for each in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


TOKENS = dict(re.findall(r"--([\w-]+): light-dark\(([^)]*)\)", page()))
WORDS = {
    "bg": ("text", "muted", "accent", "error", "warning", "note"),
    "panel": ("text", "muted", "accent", "error", "warning", "note"),
    "some": ("text",),
    "accent": ("on-accent",),
    "error": ("on-error",),
}
SIGNS = {"bg": ("edge",), "panel": ("accent", "third", "text", "error", "warning")}


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_words_and_signs_stand_out_from_their_ground(scheme: int) -> None:
    """4.5 to 1 for words, 3 to 1 for borders of controls and marks (WCAG 2.2, 1.4.3, 1.4.11)."""

    def of(token: str) -> str:
        return TOKENS[token].split(", ")[scheme]

    for least, pairs in ((4.5, WORDS), (3.0, SIGNS)):
        for ground, tokens in pairs.items():
            for token in tokens:
                assert contrast(of(token), of(ground)) >= least, (token, ground)


# Pictures


def test_screenshots_are_inside_with_words_for_them(tmp_path: Path) -> None:
    """A file beside the report is lost as soon as the report is sent."""
    (tmp_path / "1.png").write_bytes(PIXEL)
    (tmp_path / "2.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    html = page(pictured("1.png", "2.jpg"), tmp_path)
    assert f'src="data:image/png;base64,{b64encode(PIXEL).decode()}"' in html
    assert 'src="data:image/jpeg;base64,' in html
    assert "in state untouched: nobody has answered yet. A banner is there." in html
    assert "in state refused: everything optional was refused. No banner was seen." in html
    assert 'id="screenshots"' not in page(pictured("1.png"))


def test_what_is_no_picture_stays_outside(tmp_path: Path) -> None:
    """Neither a file elsewhere, nor one that is no picture, nor one as large as a house."""
    (tmp_path / "a.png").write_bytes(b"<svg onload=alert(1)>")
    (tmp_path / "b.png").write_bytes(PIXEL + b"\0" * 700_000)
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "secret.png").write_bytes(PIXEL)
    html = page(pictured("../a.png", "../b.png", "gone.png"), tmp_path)
    assert "<img" not in html
    assert "3 more beside the report" in html
    assert "<img" not in page(pictured("../secret.png"), inner)
    assert "<img" in page(pictured("../secret.png"), tmp_path), "the control: its folder is asked"


def test_all_pictures_together_are_bounded(tmp_path: Path) -> None:
    """A report that cannot be sent by e-mail is not read."""
    names = [f"{number}.png" for number in range(5)]
    for name in names:
        (tmp_path / name).write_bytes(PIXEL + b"\0" * 590_000)
    html = page(pictured(*names), tmp_path)
    assert html.count("<img") == 5
    assert len(html) < 5_000_000


# What a site may say


def hostile(text: str) -> Report:
    """A report with this text wherever a site can put one."""
    look = Look(text, 1, 1, 1, text, text, text)
    cookie = SeenCookie(text, text, text, initiator=text, seconds=1, third_party=True)
    visit = Visit(
        text,
        State.UNTOUCHED,
        200,
        (cookie,),
        items=(SeenItem(Where.LOCAL, text, text),),
        requests=(SeenRequest(text, text, text, text),),
        violations=(Violation(text, text),),
        banner=Banner(text, look, look, text, (text,)),
        title=text,
        screenshot=text[:60].replace("\0", ""),
    )
    scan = Scan(
        text,
        Witness.BROWSER,
        text,
        text,
        visits=(visit, replace(visit, state=State.GRANTED, error=text)),
        acts=(Act(State.REFUSED, 1, text), Act(State.GRANTED, None, text)),
        left_out={text: text},
        made_by=text,
    )
    kind = FindingKind.UNDECLARED
    draft = f"cookies:\n  {text}: {text}\n"
    states = (State.UNTOUCHED,)
    found = Finding(kind, "cookie", text, text, text, draft, states, (text,), 9, text, 3)
    return Report(scan, (found,), text, (found,), (text,), (text,))


ALLOWED = {name for name, _ in elements(page())} | {"img"}


@pytest.mark.parametrize(
    "text",
    [
        HOSTILE,
        "<!--",
        "]]><script>",
        "</code></td></table></main><form action=//x.example><input name=severity>",
        "x" * 4096,
        "\x00\x1b[2J\x85\ufffe\u2028",
        "{% raw %}{{ style }}",
        "&lt;b&gt; &#60;script&#62;",
    ],
)
def test_no_word_of_the_site_becomes_markup(text: str, tmp_path: Path) -> None:
    """Names, titles, addresses and errors are the site's to choose: they are read, never obeyed."""
    html = report_page(hostile(text), policy(), tmp_path)
    html5lib.HTMLParser(strict=True).parse(html)
    found = [(name, attributes) for name, attributes in elements(html) if name != "img"]
    assert {name for name, _ in found} <= ALLOWED
    assert not any(key.startswith("on") for _, attributes in found for key in attributes)
    assert not OBEYED.search(html)
    assert len(html) < 120_000
    plain = report_page(hostile("plain"), policy(), tmp_path)
    assert [name for name, _ in elements(plain)] == [name for name, _ in elements(html)]


PLAIN = [name for name, _ in elements(report_page(hostile("plain"), policy()))]


@settings(max_examples=20, deadline=None)
@given(st.text(min_size=1, max_size=40))
def test_any_word_leaves_the_page_as_it_is(text: str) -> None:
    """Whatever a site calls its things: the same elements, in the same order."""
    html = report_page(hostile(text), policy())
    assert [name for name, _ in elements(html)] == PLAIN
    assert not OBEYED.search(html)


def test_what_turns_the_writing_round_is_spelled_out() -> None:
    """`\u202e` in a cookie's name shows `gpj.exe` as `exe.jpg`."""
    assert "\\u202egnp" in report_page(hostile(HOSTILE), policy())


def test_a_template_in_a_name_is_a_name() -> None:
    """{{7*7}} is no 49."""
    html = report_page(hostile(HOSTILE), policy())
    assert "{{7*7}}" in html
    assert ">49<" not in html


# Large ones


def test_a_large_scan_is_a_small_page() -> None:
    """200 pages in five states with 40 cookies each: under 2 MB."""
    cookies = tuple(SeenCookie(f"cookie-{n}", "big.example", moment=n) for n in range(40))
    requests = tuple(SeenRequest(f"host-{n}.example", moment=n) for n in range(30))
    visits = tuple(
        Visit(f"/page/{n}", state, 200, cookies, requests=requests, title=f"Page {n}")
        for n in range(200)
        for state in State
    )
    pages = tuple(visit.page for visit in visits[:10])
    found = tuple(
        replace(FINDINGS[0], name=f"cookie-{n}", pages=pages, count=200) for n in range(40)
    )
    html = page(Report(replace(SCAN, visits=visits), found, "consent.yaml"))
    assert len(html.encode()) < 2_000_000
    assert html.count('class="one finding') == 40
    assert "<details><summary>200 visited</summary>" in html


def test_endless_lists_end_and_say_so() -> None:
    """A name with an id in it that nothing declares is thousands of names."""
    cookies = tuple(SeenCookie(f"id-{n}", "big.example") for n in range(1000))
    visits = tuple(
        Visit(f"/{n}", State.UNTOUCHED, 200, cookies if n == 0 else ()) for n in range(600)
    )
    left_out = {f"/left/{n}": "the limit of pages" for n in range(400)}
    found = tuple(replace(FINDINGS[0], name=f"id-{n}") for n in range(1000))
    scan = replace(SCAN, visits=visits, left_out=left_out)
    html = page(Report(scan, found, "consent.yaml", found))
    assert len(html.encode()) < 2_000_000
    assert "And 750 more" in html
    assert "And 700 more" in html
    assert "And 100 more" in html
    assert "And 150 more" in html
    assert html.count("And 940 more") == 1
