import copy
import pickle
from difflib import get_close_matches

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.errors import (
    MOST_COMPARED,
    ConsentKitError,
    ConsentKitWarning,
    Fault,
    LateAnswerWarning,
    NoSuchVisitorError,
    NoVisitorError,
    OptionError,
    PolicyError,
    ScanError,
    TemplateError,
    UncoveredLayerWarning,
    UnknownPurposeError,
    UnknownServiceError,
    did_you_mean,
)

FAULTS = [Fault("b.yaml", 2, 1, "wrong.", "mend it."), Fault("a.yaml", 0, 0, "gone.")]
ERRORS = [
    PolicyError(FAULTS),
    OptionError("exclude", "'x' is no path", "Begin it with '/'."),
    UnknownPurposeError("analitics", ["analytics", "maps"]),
    UnknownServiceError("yutube", ["youtube", "vimeo"]),
    NoVisitorError("/shop"),
    NoSuchVisitorError("no such answer", "Write 'granted'."),
    ScanError("https://site.example/", "nobody answers", "Check the address."),
    ConsentKitError("a message"),
    LateAnswerWarning("late"),
    UncoveredLayerWarning("outside"),
    ConsentKitWarning("a message"),
    TemplateError("banner.html", "it has no link", "Extend ours."),
]


def test_every_error_is_looked_at_here() -> None:
    """The list is complete: a new error has to stand the same tests."""

    def kinds(kind: type[Exception]) -> set[type[Exception]]:
        return {kind}.union(*(kinds(each) for each in kind.__subclasses__()))

    ours = {kind for kind in kinds(Exception) if kind.__module__ == "consentkit.errors"}
    assert ours == set(map(type, ERRORS))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_behind_a_pipe(error: Exception) -> None:
    """Pools of processes and test runners carry errors over as pickles."""
    error.__dict__["seen_by"] = "a log"
    pickles = [pickle.dumps(error, n) for n in range(pickle.HIGHEST_PROTOCOL + 1)]
    copies = map(pickle.loads, pickles)
    for each in (copy.copy(error), copy.deepcopy(error), *copies):
        assert type(each) is type(error)
        assert (str(each), each.args, vars(each)) == (str(error), error.args, vars(error))
        with pytest.raises(type(error)) as caught:
            raise each
        assert caught.value is each


def test_an_error_that_somebody_derived_is_carried_over_too() -> None:
    """Whatever its own constructor takes."""
    error = copy.copy(_DerivedError(7))
    assert (str(error), error.number) == ("number 7", 7)


class _DerivedError(ConsentKitError):
    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"number {number}")


# What an error says


@given(
    file=st.text(),
    what=st.text(min_size=1),
    cure=st.text(min_size=1),
    line=st.integers(0, 9),
    is_warning=st.booleans(),
)
def test_a_fault_has_two_lines_whatever_it_quotes(
    file: str, what: str, cure: str, line: int, *, is_warning: bool
) -> None:
    """A name out of a file could forge a line of the log, or turn a terminal's text around."""
    said = str(Fault(file, line, 1, what, cure, is_warning=is_warning)).split("\n")
    assert len(said) == 2
    assert all(each.isprintable() for each in said)


def test_what_cannot_be_seen_is_spelled_out() -> None:
    """The attributes have it as it is, for whoever shows it in another way."""
    fault = Fault("a\n.yaml", 1, 2, "cookie '\x1b[31m\u202eé\n' is wrong.", "Mend\tit.")
    assert str(fault) == ("a\\n.yaml:1:2: cookie '\\x1b[31m\\u202eé\\n' is wrong.\n    Mend\\tit.")
    assert fault.what == "cookie '\x1b[31m\u202eé\n' is wrong."
    assert str(Fault("f", 0, 0, "what.", is_warning=True)) == "f: warning: what."


def test_a_policy_error_tells_of_a_hundred_faults() -> None:
    """Nobody reads more in a log, and a generated file may have thousands; all are in `faults`."""
    faults = [Fault("f", line, 1, "wrong.") for line in range(1, 102)]
    assert str(PolicyError(faults[:100])).count("\n") == 99
    error = PolicyError(reversed([*faults, *faults]))
    assert error.faults == tuple(faults)
    assert str(error).split("\n")[99:] == ["f:100:1: wrong.", "and 1 more"]


def test_what_a_visitor_sent_forges_no_line_of_the_log() -> None:
    """A path and a purpose may come out of a request."""
    sent = "x\r\n2026-11-22 all is well\x1b[2J"
    for error in (
        UnknownPurposeError(sent, ["maps"]),
        UnknownServiceError(sent, ["maps"]),
        NoVisitorError(sent),
    ):
        assert str(error).isprintable()
        assert sent in vars(error).values()


def test_an_option_and_a_path_are_named() -> None:
    """Where, what, what to do."""
    assert str(ERRORS[1]) == "ConsentMiddleware(exclude=…): 'x' is no path. Begin it with '/'."
    assert str(ERRORS[2]).endswith("analytics, maps. Did you mean 'analytics'?")
    assert str(ERRORS[3]).endswith("youtube, vimeo. Did you mean 'youtube'?")
    assert str(ERRORS[4]).startswith("/shop: this request did not pass")


# What was meant


words = st.text("abcABC-", max_size=6)


@given(words, st.lists(words, max_size=MOST_COMPARED))
def test_the_nearest_of_a_few_words_is_meant(word: str, known: list[str]) -> None:
    """As the standard library finds it, and before that the same word in other letter cases."""
    same = [each for each in known if each.casefold() == word.casefold()]
    near = same or get_close_matches(word, [*dict.fromkeys(filter(None, known))], n=1)
    assert did_you_mean(word, known) == (f" Did you mean '{near[0]}'?" if near and near[0] else "")


def test_a_slip_is_found_among_many_words() -> None:
    """A site may have a hundred purposes."""
    known = [f"{place}-{number}" for place in ("maps", "films", "polls") for number in range(60)]
    assert did_you_mean("analitycs", [*known, "analytics"]) == " Did you mean 'analytics'?"
    assert did_you_mean("Films-7", known) == " Did you mean 'films-7'?"
    assert did_you_mean("xyz", known) == ""


def test_nobody_searches_thousands_of_words() -> None:
    """Each of ten thousand slips compared with ten thousand names would take a day."""
    known = [f"purpose-{number}" for number in range(10_000)]
    assert did_you_mean("purpos-77", known) == ""
    assert did_you_mean("Purpose-77", known) == " Did you mean 'purpose-77'?"
    assert did_you_mean("a" * 81, ["a" * 80]) == ""
    assert did_you_mean("A" * 81, ["a" * 81]).startswith(" Did you mean")
