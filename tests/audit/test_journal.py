import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.audit.journal import Entry, Head, Journal
from consentkit.audit.seen import Banner, SeenCookie, SentCookie, State, Visit
from consentkit.errors import ScanError

SITE = "https://shop.example"
HEAD = Head(SITE, f"{SITE}/", "headers", ("untouched", "granted"), "2026-11-22T10:00:00Z")


def entry(page: str, state: State = State.UNTOUCHED) -> Entry:
    visit = Visit(
        page,
        state,
        200,
        (SeenCookie("_ga", "shop.example", seconds=60),),
        (SentCookie("sid", "shop.example"),),
        banner=Banner("consentkit"),
        title="\u00dcber\u2028uns",
    )
    return Entry(SITE + page, visit, [f"{SITE}{page}/more"], {"/x": "a file, no page"})


ENTRIES = [entry("/a"), entry("/a", State.GRANTED), entry("/b\u2028c")]


def written(path: Path, entries: list[Entry]) -> Path:
    journal = Journal.begin(HEAD, path)
    for each in entries:
        journal.note(each)
    journal.close(is_done=False)
    return path


def plain(entries: list[Entry]) -> list[tuple[object, ...]]:
    return [(each.url, each.visit, [*each.found], {**each.left_out}) for each in entries]


def test_a_journal_gives_back_what_was_noted(tmp_path: Path) -> None:
    path = written(tmp_path / "scan.journal", ENTRIES)
    journal = Journal.resume(HEAD, path)
    assert plain([*journal.entries()]) == plain(ENTRIES)
    journal.close(is_done=False)


def test_one_without_a_file_keeps_its_entries() -> None:
    """As in `audit_app`, which is over before anything could kill it."""
    journal = Journal.begin(HEAD, None)
    journal.note(ENTRIES[0])
    assert [*journal.entries()] == ENTRIES[:1]
    journal.close(is_done=True)


def test_a_visit_is_out_of_our_hands_when_it_is_noted(tmp_path: Path) -> None:
    """A kill -9 leaves no time to write: each line is with the system before the next begins."""
    path = tmp_path / "scan.journal"
    journal = Journal.begin(HEAD, path)
    for number, each in enumerate(ENTRIES, 1):
        journal.note(each)
        assert len(path.read_bytes().splitlines()) >= number + 1
        assert path.read_bytes().endswith(b"\n")
    journal.close(is_done=False)


@given(st.data())
def test_a_line_that_was_cut_short_is_as_good_as_none(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Wherever the disk or the process ended: what came before it is whole, and goes on well."""
    path = tmp_path_factory.mktemp("cut") / "scan.journal"
    whole = written(path, ENTRIES).read_bytes()
    begun = whole.index(b"\n") + 1
    cut = data.draw(st.integers(begun, len(whole)))
    path.write_bytes(whole[:cut])
    left = whole[:cut].count(b"\n") - 1
    journal = Journal.resume(HEAD, path)
    assert plain([*journal.entries()]) == plain(ENTRIES[:left])
    journal.note(ENTRIES[0])
    assert plain([*journal.entries()]) == plain([*ENTRIES[:left], ENTRIES[0]])
    journal.close(is_done=False)


def test_a_scan_goes_on_from_where_it_started(tmp_path: Path) -> None:
    """The report tells when the scan began, not when it was gone on with."""
    path = written(tmp_path / "scan.journal", [])
    journal = Journal.resume(HEAD._replace(started="2026-11-23T10:00:00Z"), path)
    assert journal.head.started == "2026-11-22T10:00:00Z"
    journal.close(is_done=False)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"site": "https://other.example"},
            "(site: https://shop.example; now: https://other.example)",
        ),
        (
            {"first_page": f"{SITE}/de"},
            "(first page: https://shop.example/; now: https://shop.example/de)",
        ),
        ({"witness": "browser"}, "(witness: headers; now: browser)"),
        ({"states": ("gpc",)}, "(states: untouched, granted; now: gpc)"),
    ],
)
def test_a_journal_of_another_scan_is_refused(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    """Half of one site and half of another would be a report of neither."""
    path = written(tmp_path / "scan.journal", ENTRIES)
    with pytest.raises(ScanError, match="another scan's") as refused:
        Journal.resume(HEAD._replace(**change), path)
    assert told in str(refused.value)
    assert "Ask for what it began with" in refused.value.cure


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"{", b"[]\n", b"7\n", b"\xff\n"),
        b'{"consentkit scan journal":2}\n',
        b'{"consentkit scan journal":1}\n',
    ],
)
def test_what_is_no_journal_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "scan.journal"
    path.write_bytes(text)
    with pytest.raises(ScanError, match="no journal of a scan"):
        Journal.resume(HEAD, path)
    assert path.read_bytes() == text


def test_a_journal_that_is_not_there_or_cannot_be_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="it cannot be read: No such file"):
        Journal.resume(HEAD, tmp_path / "none")
    with pytest.raises(ScanError, match="the journal cannot be written: No such file"):
        Journal.begin(HEAD, tmp_path / "none" / "scan.journal")


def test_one_that_is_done_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "scan.journal"
    journal = Journal.begin(HEAD, path)
    assert path.exists()
    journal.close(is_done=True)
    assert not path.exists()
    with pytest.raises(ScanError, match="the journal is closed"):
        journal.note(ENTRIES[0])


def test_it_holds_no_value_of_a_cookie(tmp_path: Path) -> None:
    """What is written down is what `seen` holds: a name, a shape, a life."""
    lines = written(tmp_path / "scan.journal", ENTRIES).read_bytes().split(b"\n")
    assert json.loads(lines[1])["visit"]["cookies"] == [
        {"name": "_ga", "domain": "shop.example", "seconds": 60}
    ]


@pytest.mark.parametrize("title", ["\ud800", "\x00", "\u2028", "\U0001f36a"])
def test_any_title_is_kept(tmp_path: Path, title: str) -> None:
    """A page's script may name it half a sign, which no UTF-8 has: that ends no scan."""
    visit = Visit("/", State.UNTOUCHED, 200, title=title)
    path = written(tmp_path / "scan.journal", [Entry(f"{SITE}/", visit)])
    journal = Journal.resume(HEAD, path)
    assert [each.visit for each in journal.entries()] == [visit]
    journal.close(is_done=False)


def test_it_is_written_through_no_link(tmp_path: Path) -> None:
    """Its name can be foretold: a neighbour's link of that name has no other file written over."""
    precious, link = tmp_path / "precious", tmp_path / "scan.journal"
    text = written(precious, ENTRIES).read_bytes()
    link.symlink_to(precious)
    with pytest.raises(ScanError, match="the journal cannot be written"):
        Journal.begin(HEAD, link)
    with pytest.raises(ScanError, match="it cannot be read"):
        Journal.resume(HEAD, link)
    assert precious.read_bytes() == text


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    """It names the pages that were seen."""
    path = written(tmp_path / "scan.journal", ENTRIES)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "line", [b"x", b"{}", b"[]", b"7", b"[" * 100_000, b'{"url":1,"visit":{}}', b"\xff", b""]
)
def test_a_journal_that_was_spoilt_is_refused(tmp_path: Path, line: bytes) -> None:
    """With a sentence, before anything is asked for; the file stays as it is."""
    path = written(tmp_path / "scan.journal", ENTRIES)
    whole = path.read_bytes() + line + b"\n"
    path.write_bytes(whole)
    with pytest.raises(ScanError, match="no journal of a scan"):
        Journal.resume(HEAD, path)
    assert path.read_bytes() == whole
