import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from consentkit.notice.chapters import chapters_of
from consentkit.notice.text import LANGUAGES
from consentkit.rules.policy_file import read_policy
from consentkit.shell.tables import as_csv, as_markdown, show_table
from consentkit.shell.terminal import Screen, width_of
from tests.shell.policies import LIBRARY, NECESSARY

POLICY = read_policy(LIBRARY)
TOKENS = ("__Host-consent", "__Host-consent-seen")


def printed(language: str = "en", width: int = 80) -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True, newline="\n")
    show_table(Screen(stream, width=width), POLICY, language, TOKENS)
    stream.seek(0)
    return stream.read()


def test_the_table_fits_and_has_every_chapter() -> None:
    """What visitors find on the site: each purpose, each cookie, our own two, each service."""
    text = printed()
    assert all(width_of(line) <= 80 for line in text.splitlines())
    for chapter in chapters_of(POLICY, "en", TOKENS):
        assert f"{chapter.title} ({chapter.status})" in text
    for name in ("sid", "PollTimeout-<pollid>", "_ga", "cart", TOKENS[0]):
        assert name in text
    assert "counter: Counter Ltd" in text


def test_the_table_speaks_the_language_that_is_asked_for() -> None:
    """Every shipped language has its own heads."""
    heads = {tag: printed(tag, 200).splitlines()[3] for tag in LANGUAGES}
    assert len(set(heads.values())) == len(LANGUAGES)


def test_a_purpose_with_nothing_stored_has_no_rows() -> None:
    """It is told of, and no empty table stands under it."""
    policy = read_policy(
        NECESSARY + "  other: {kind: session, purpose: necessary, "
        "justification: security, description: D}\n"
    )
    bare = policy.model_copy(update={"cookies": {}})
    assert "| --- |" not in as_markdown(bare, "en", ())
    assert "## Needed" in as_markdown(bare, "en", ())
    stream = io.StringIO()
    show_table(Screen(stream), bare, "en", ())
    assert stream.getvalue().startswith("Needed (Always on)\n")
    assert "---" not in stream.getvalue()


def test_tokens_stand_alone_where_nothing_else_is_necessary() -> None:
    """A policy without a strictly necessary purpose still has our two cookies in its table."""
    text = LIBRARY.replace("basis: strictly-necessary, ", "").replace(
        "    justification: authentication\n", ""
    )
    policy = read_policy(text)
    stream = io.StringIO()
    show_table(Screen(stream), policy, "en", TOKENS)
    assert stream.getvalue().splitlines()[0] == "Strictly necessary (Always on)"


def test_third_parties_are_named_as_such() -> None:
    """Whose host stores it is told where it is not the site's own."""
    policy = read_policy(LIBRARY.replace("    renew: false", "    renew: false\n    party: third"))
    assert "(Third party)" in as_markdown(policy, "en", ())
    assert "(Third party)" not in as_markdown(POLICY, "en", ())
    assert "(First party)" not in as_markdown(POLICY, "en", ())


@given(st.text(max_size=30))
def test_no_text_breaks_a_markdown_table(text: str) -> None:
    """Words stay words: no cell, no heading, no markup begins in a description."""
    purpose = POLICY.purposes["polls"].model_copy(update={"title": f"a{text}"})
    policy = POLICY.model_copy(update={"purposes": {**POLICY.purposes, "polls": purpose}})
    lines = as_markdown(policy, "en", TOKENS).splitlines()
    expected = as_markdown(POLICY, "en", TOKENS).splitlines()
    assert len(lines) == len(expected)
    assert [line.count(" | ") for line in lines] == [line.count(" | ") for line in expected]
    assert sum(line.startswith("## ") for line in lines) == 3


def test_markup_in_a_text_is_escaped() -> None:
    """The control: what GitHub would read as a mark has a backslash."""
    purpose = POLICY.purposes["polls"].model_copy(update={"title": "<b> | *x*"})
    policy = POLICY.model_copy(update={"purposes": {**POLICY.purposes, "polls": purpose}})
    assert r"## \<b\> \| \*x\*" in as_markdown(policy, "en", ())


def test_csv_has_a_line_for_each_purpose_of_an_item() -> None:
    """A spreadsheet can sort and count it; the heads are the same in every language."""
    rows = [*csv.DictReader(io.StringIO(as_csv(POLICY, "de", TOKENS[:1])))]
    assert [(row["purpose"], row["name"]) for row in rows] == [
        ("necessary", "sid"),
        ("necessary", "__Host-consent"),
        ("polls", "PollTimeout-<pollid>"),
        ("polls", "_gat*"),
        ("polls", "cart"),
        ("analytics", "_ga"),
        ("analytics", "_gat*"),
    ]


def test_no_cell_is_a_formula() -> None:
    """A spreadsheet would run what begins with a sign of equality."""
    text = LIBRARY.replace("description: Counts.\n", "description: =HYPERLINK(1)\n")
    rows = [*csv.DictReader(io.StringIO(as_csv(read_policy(text), "en", ())))]
    assert "'=HYPERLINK(1)" in [row["description"] for row in rows]
