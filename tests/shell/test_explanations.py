import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit import DECISIONS, Answer, Basis, Consent, Kind, Policy
from consentkit.enforcement import Enforcement, filter_headers
from consentkit.rules.consent import NOBODY_YET, Seen
from consentkit.rules.decision import STORE, Occasion
from consentkit.rules.policy import DeclaredCookie, Undeclared, parse_duration
from consentkit.rules.policy_file import inspect_text, read_policy
from consentkit.rules.signals import NO_SIGNALS, Signal
from consentkit.shell.explanations import (
    NOW,
    Explanation,
    StateRow,
    decision_table,
    duration_in_words,
    experience_of,
    explain,
    token_names,
)
from tests.shell.policies import LIBRARY, NECESSARY, OBJECTABLE, name_for, policies

KEY = "k" * 32


def library() -> Policy:
    return read_policy(LIBRARY)


def the_one(policy: Policy, name: str) -> Explanation:
    (explanation,) = explain(policy, name)
    return explanation


def row(explanation: Explanation, key: str) -> StateRow:
    return next(row for row in explanation.rows if row.key == key)


def allowed(explanation: Explanation, key: str) -> dict[str, bool]:
    return {name: each.allowed for name, each in row(explanation, key).decisions.items()}


# What is explained is what happens

OCCASIONS = {"store": STORE, "vote": Occasion(vote=True), "again": STORE}
SIGNALS = {"gpc": frozenset({Signal.GPC}), "dnt": frozenset({Signal.DNT})}


def consents(policy: Policy, since: int) -> dict[str, Callable[[], Consent]]:
    """The states again, made by hand: what `explain` says of each is held against the site."""
    asked = policy.optional_purposes

    def granted(
        revision: int = policy.revision, ago: float = 0, despite: frozenset[Signal] = NO_SIGNALS
    ) -> Consent:
        return NOBODY_YET.grant(asked, revision, NOW - ago, despite)

    made: dict[str, Callable[[], Consent]] = {
        "undecided": lambda: NOBODY_YET,
        "implied": lambda: Consent(seen=Seen(3, 3, int(NOW) // 86_400 * 86_400)),
        "granted": granted,
        "refused": lambda: NOBODY_YET.refuse(asked, policy.revision, NOW),
        "lapsed": lambda: granted(ago=policy.ask_again_after),
        "before": lambda: granted(revision=since - 1),
        "children": granted,
    }
    for name, on in SIGNALS.items():
        made |= {name: made["undecided"], f"{name}-since": granted}
        made[f"{name}-despite"] = lambda on=on: granted(despite=on)  # type: ignore[misc]
    return made


def cookie_header(enforcement: Enforcement, consent: Consent | None) -> tuple[bytes, ...]:
    """The Cookie header of a visitor in a state; None: their token was broken."""
    if consent is None:
        return (b"%b=broken" % enforcement.tokens.consent,)
    pairs = []
    if consent.given:
        token = enforcement.format.sign_given(consent.given).encode()
        pairs.append(b"%b=%b" % (enforcement.tokens.consent, token))
    if consent.seen:
        token = enforcement.format.sign_seen(consent.seen).encode()
        pairs.append(b"%b=%b" % (enforcement.tokens.seen, token))
    return (b"; ".join(pairs),) if pairs else ()


def what_happens(policy: Policy, declared: DeclaredCookie, each: StateRow) -> dict[str, bool]:
    """What enforcement does with the cookie of a visitor in this state, header by header."""
    enforcement = Enforcement(policy, [KEY], secure=True, clock=lambda: NOW)
    since = max(
        (policy.questions[place].since for place in policy.questions_of(declared)), default=1
    )
    made = None if each.key == "unreadable" else consents(policy, since)[each.key]()
    signals = SIGNALS.get(each.key.partition("-")[0], NO_SIGNALS)
    header, for_children = cookie_header(enforcement, made), each.key == "children"
    reading = enforcement.read(header, signals, for_children=for_children)
    name = name_for(declared.name).encode()
    happened = {"read": reading.rulings.may_read(name)}
    for key in each.decisions.keys() & OCCASIONS.keys():
        arrived = frozenset({name}) if key == "again" else frozenset()
        headers = [(b"set-cookie", b"%b=1" % name)]
        occasion = OCCASIONS[key]
        left = filter_headers(headers, reading.rulings, occasion, arrived, NOW).headers
        happened[key] = bool(left)
    return happened


@given(policies)
def test_what_is_explained_is_what_the_site_does(policy: Policy) -> None:
    """For every declared cookie in every state: the words are those of the traffic."""
    for name in policy.cookies:
        cookie = policy.declaration_of(name_for(name))
        assert cookie is not None
        (explanation, *_) = explain(policy, name_for(name))
        assert explanation.declared_as == cookie.name
        for each in explanation.rows:
            told = {key: decision.allowed for key, decision in each.decisions.items()}
            assert told == what_happens(policy, cookie, each), (name, each.key)


@given(policies)
def test_an_item_is_explained_as_its_purposes_are_answered(policy: Policy) -> None:
    """Web storage has no header to enforce, and the same table decides of it."""
    for name, item in policy.storage.items():
        (explanation,) = [each for each in explain(policy, name) if each.section == "storage"]
        for each in explanation.rows:
            expected = all(
                DECISIONS[policy.basis_of(purpose)][each.answers.get(purpose, Answer.GRANTED)]
                for purpose in item.purpose
            )
            assert each.decisions["read"].allowed is expected


@given(policies)
def test_an_answer_from_before_counts_as_it_does_on_the_site(policy: Policy) -> None:
    """An item that came later is asked about later; the other items do not change that."""
    for name, item in policy.storage.items():
        (explanation,) = [each for each in explain(policy, name) if each.section == "storage"]
        marked = any(part.since == 3 for part in policy.purposes.values()) or any(
            part.since == 3 for _, _, part in policy.items()
        )
        optional = [each for each in item.purpose if each in policy.optional_purposes]
        since = max(
            (max(item.since, policy.purposes[each].since) if marked else 3 for each in optional),
            default=1,
        )
        titles = [each.title for each in explanation.rows if each.key == "before"]
        assert titles == ([f"said yes before revision {since}"] if since > 1 else [])


# States, one by one


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("undecided", (False, False, False)),
        ("implied", (False, False, False)),
        ("granted", (True, False, True)),
        ("refused", (False, False, False)),
        ("gpc", (False, False, False)),
        ("gpc-since", (False, False, False)),
        ("gpc-despite", (True, False, True)),
        ("dnt-despite", (True, False, True)),
        ("lapsed", (False, False, False)),
        ("before", (False, False, False)),
        ("unreadable", (False, False, False)),
    ],
)
def test_a_cookie_that_is_never_renewed(key: str, expected: tuple[bool, ...]) -> None:
    """Store, renew and read stand apart: a visit that brings it does not extend it (R-25)."""
    explanation = the_one(library(), "_ga")
    assert tuple(explanation.columns) == ("store", "again", "read")
    assert tuple(allowed(explanation, key).values()) == expected


def test_a_poll_is_answered_by_the_vote() -> None:
    """No page view stores it (R-27), and a refusal outweighs the vote."""
    explanation = the_one(library(), "PollTimeout-17")
    assert explanation.headline == "covered by the pattern 'PollTimeout-{pollid}'."
    assert allowed(explanation, "undecided") == {"store": False, "vote": True, "read": True}
    assert allowed(explanation, "refused") == {"store": False, "vote": False, "read": False}
    assert row(explanation, "undecided").because == "set without a vote"
    assert row(explanation, "refused").because == "refused (polls)"


def test_a_preset_can_let_the_signal_win() -> None:
    """In California a signal outweighs also the grant that was given despite it (R-37)."""
    policy = library().model_copy(update={"preset": ("us-ca",)})
    assert allowed(the_one(policy, "_ga"), "gpc-despite")["store"] is False
    assert allowed(the_one(library(), "_ga"), "gpc-despite")["store"] is True


def test_what_is_strictly_necessary_is_one_line() -> None:
    """Where no answer makes a difference, a table of equal rows would say less."""
    explanation = the_one(library(), "sid")
    always = explanation.always
    assert always is not None
    assert always.because == "strictly necessary"
    assert the_one(library(), "_ga").always is None
    assert explanation.withdrawal == ("Nobody is asked about it, so there is nothing to withdraw.",)


# Which declaration


@pytest.mark.parametrize(
    ("name", "declared", "headline"),
    [
        ("_ga", "_ga", "declared by this very name."),
        ("_gat_x", "_gat*", "covered by the pattern '_gat*'."),
        ("sid-0", "sid", "a chunk of 'sid', which is declared with 'chunked: true'."),
        ("_gat*", "_gat*", "declared by this very name."),
        ("cart", "cart", "declared by this very name."),
    ],
)
def test_which_declaration_covers_a_name(name: str, declared: str, headline: str) -> None:
    """The name as the browser has it, or as the file has it."""
    explanation = the_one(library(), name)
    assert (explanation.declared_as, explanation.headline) == (declared, headline)


def test_what_lost_is_named() -> None:
    """An exact name beats a pattern, the longer literal beats the shorter."""
    cookies = {
        name: DeclaredCookie(kind=Kind.SESSION, purpose=("polls",), description="D")
        for name in ("ab", "ab*", "abc*")
    }
    policy = Policy(
        **{**{key: getattr(library(), key) for key in Policy.model_fields}, "cookies": cookies}
    )
    assert the_one(policy, "ab").notes == (
        "The pattern 'ab*' fits too, and gives way: an exact name comes first.",
    )
    assert the_one(policy, "abcd").notes == (
        "The pattern 'ab*' fits too, and gives way: its literal is shorter.",
    )
    assert the_one(policy, "abd").notes == ()


def test_a_cookie_and_an_item_of_one_name_are_both_explained() -> None:
    """They are two things, and a reader may have met either."""
    policy = read_policy(LIBRARY.replace("  cart:", "  _ga:"))
    assert [each.section for each in explain(policy, "_ga")] == ["cookies", "storage"]


def test_a_pattern_covers_an_item_too() -> None:
    """The keys of storage are names as those of cookies are."""
    policy = read_policy(LIBRARY.replace("  cart:", "  cart-{id}:"))
    explanation = the_one(policy, "cart-7")
    assert explanation.headline == "covered by the pattern 'cart-{id}'."
    assert explanation.section == "storage"


@pytest.mark.parametrize("name", ["consent", "__Host-consent", "__Secure-consent-seen"])
def test_our_own_tokens_are_explained(name: str) -> None:
    """Whoever looks into a browser meets them first."""
    explanation = the_one(library(), name)
    assert explanation.section == "tokens"
    assert explanation.always is None


def test_the_tokens_of_a_site_over_https() -> None:
    """As enforcement names them: the table and the site must speak of the same cookies."""
    shared = LIBRARY + "token: {domain: library.example}\n"
    for text in (LIBRARY, shared):
        policy = read_policy(text)
        tokens = Enforcement(policy, [KEY], secure=True, clock=lambda: NOW).tokens
        assert token_names(policy) == tuple(name.decode() for name in tokens)


# Facts and their lines


def test_each_fact_has_the_line_that_says_it() -> None:
    """Whoever does not like the answer knows what to edit."""
    inspection = inspect_text(LIBRARY, "consent.yaml")
    told: dict[str, Any] = the_one(library(), "_ga").for_machines(inspection.place_of)
    lines = LIBRARY.splitlines()
    found = {
        fact["label"]: lines[fact["place"]["line"] - 1].strip()
        for fact in told["facts"]
        if fact["place"]
    }
    assert found == {
        "kind": "kind: analytics",
        "purpose": "purpose: analytics",
        "basis": "mode: explicit",
        "honours": "honours: [gpc, dnt]",
        "duration": "duration: 13 months",
        "renew": "renew: false",
        "service": "service: counter",
        "since": "since: 3",
    }
    assert told["place"] == {"file": "consent.yaml", "line": 25, "column": 3}


def test_what_nobody_wrote_has_no_line() -> None:
    """A default is said to be one."""
    inspection = inspect_text(NECESSARY, "consent.yaml")
    told = the_one(read_policy(NECESSARY), "other").for_machines(inspection.place_of)
    assert told["place"] is None
    assert told["declaredAs"] is None


def test_the_basis_is_explained_where_it_comes_from() -> None:
    """Its own or the mode's; for implied consent the moment it counts from; the justification."""
    text = LIBRARY.replace("mode: explicit", "mode: implied").replace(
        "basis: strictly-necessary,", "basis: strictly-necessary, justification: security,"
    )
    policy = read_policy(text)
    facts = {fact.label: fact for fact in the_one(policy, "_ga").facts}
    assert facts["basis"].text == "implied, from the mode 'implied'"
    assert facts["takes-effect"].text == "next-page"
    necessary = [(fact.label, fact.text) for fact in the_one(policy, "sid").facts]
    assert ("justification", "security") in necessary
    assert ("basis", "strictly-necessary") in necessary


def test_a_purpose_that_honours_nothing_says_so() -> None:
    """A reader who looks for the signal finds that there is none."""
    policy = read_policy(LIBRARY.replace("[gpc, dnt]", "[]"))
    assert "no signal" in [fact.text for fact in the_one(policy, "_ga").facts]


# What is enforced


def test_lifetimes_are_those_that_are_enforced() -> None:
    """The least of what is asked and declared; the session's for a session cookie."""
    ten_years = 10 * 365 * 86_400
    assert the_one(library(), "_ga").lifetimes == (
        (None, None),
        (3600, 3600),
        (ten_years, 395 * 86_400),
    )
    assert the_one(library(), "PollTimeout-1").lifetimes[0] == (None, 86_400)
    assert the_one(library(), "sid").lifetimes[2] == (ten_years, None)


def test_attributes_are_told() -> None:
    """Secure, HttpOnly, SameSite and Partitioned are raised to what is declared."""
    assert "Secure, HttpOnly and SameSite=Lax are put on where missing." in (
        the_one(library(), "sid").enforced
    )
    policy = read_policy(LIBRARY.replace("http-only: true, same-site: lax", "http-only: false"))
    assert "Secure is put on where missing." in the_one(policy, "sid").enforced


def withdrawn(**fields: object) -> str:
    cookie = DeclaredCookie(kind=Kind.SESSION, purpose=("polls",), description="D", **fields)  # type: ignore[arg-type]
    policy = Policy(
        **{
            **{key: getattr(library(), key) for key in Policy.model_fields},
            "cookies": {fields.get("name") or "c": cookie},
        }
    )
    return " ".join(the_one(policy, str(fields.get("name") or "c")).withdrawal)


def test_what_a_withdrawal_removes() -> None:
    """A browser deletes only what has the same path, domain and partition."""
    assert "path /, this host and each domain above," in withdrawn()
    assert "path /shop, the domain library.example," in withdrawn(
        path="/shop", domain="library.example"
    )
    assert "path /, this host," in withdrawn(name="__Host-c")
    assert "domain above, Partitioned," in withdrawn(attributes={"partitioned": True})
    assert withdrawn(party="third", domain="ads.example").startswith("It belongs to another")


# What no declaration covers


@pytest.mark.parametrize("level", Undeclared)
def test_what_becomes_of_the_undeclared(level: Undeclared) -> None:
    """The three levels, as enforcement keeps them."""
    policy = library().model_copy(update={"undeclared": level})
    explanation = the_one(policy, "other")
    reading = Enforcement(policy, [KEY], secure=True, clock=lambda: NOW).read((), NO_SIGNALS)
    always = explanation.always
    assert always is not None
    told = {key: decision.allowed for key, decision in always.decisions.items()}
    left = filter_headers(
        [(b"set-cookie", b"other=1")], reading.rulings, STORE, frozenset(), NOW
    ).headers
    assert told == {"store": bool(left), "read": reading.rulings.may_read(b"other")}
    assert f"'undeclared: {level.value}'" in explanation.headline


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("SID", "'sid' is declared: names of cookies tell capitals from small letters."),
        ("carts", "Did you mean 'cart'?"),
        ("_ga-0", "It looks like a chunk of '_ga': give that one 'chunked: true'."),
    ],
)
def test_near_misses_are_named(name: str, hint: str) -> None:
    """A letter too many is what mostly is wrong with a name."""
    assert the_one(library(), name).notes == (hint,)


def test_what_the_catalogue_knows_is_told() -> None:
    """It labels and never authorises: the cookie stays undeclared."""
    explanation = the_one(library(), "_fbp")
    (note,) = [each for each in explanation.notes if "catalogue" in each]
    assert "purpose advertising" in note
    assert explanation.section == "undeclared"
    assert the_one(library(), "zzz-unheard-of").notes == ()


# The table and the visit


def test_the_decision_table_is_that_of_the_rules() -> None:
    """Printed from `DECISIONS`, in the order of the file."""
    rows = decision_table(read_policy(OBJECTABLE))
    assert [(each.purpose, each.basis.value) for each in rows] == [
        ("necessary", "strictly-necessary"),
        ("polls", "opt-out"),
        ("analytics", "consent"),
    ]
    assert all(each.answers is DECISIONS[each.basis] for each in rows)


def visit(text: str) -> dict[str, str]:
    return dict(experience_of(read_policy(text)))


def test_a_site_without_a_question_needs_no_banner() -> None:
    """Nobody should be asked what needs no answer (R-35: banners for nothing teach to click)."""
    told = visit(NECESSARY)
    assert "You need no banner" in told
    assert "nobody is asked anything" in told["You need no banner"]
    assert "Asked again" not in told


def test_a_line_where_nothing_is_asked_is_told() -> None:
    """A site may want its table to be found from each page."""
    line = "A quiet line on each page links to it."
    assert line in visit(f"settings-link: always\n{NECESSARY}")["You need no banner"]
    assert line not in visit(NECESSARY)["You need no banner"]


def test_pages_for_children_are_told() -> None:
    """Nothing optional is on there (R-11), and where nothing is, there is nothing to tell."""
    told = visit(f"child-directed: [/kids, /quiz]\n{LIBRARY}")
    text = told["Pages for children (/kids, /quiz)"]
    assert text == (
        "Nothing optional is stored, read or loaded there, whatever was answered elsewhere, and "
        "nobody is asked."
    )
    assert [*visit(f"child-directed: [/]\n{NECESSARY}")] == [*visit(NECESSARY)]


def test_a_page_for_children_is_a_state() -> None:
    """Whoever said yes elsewhere has said nothing there (R-11)."""
    policy = read_policy(f"child-directed: [/kids]\n{LIBRARY}")
    explanation = the_one(policy, "_ga")
    assert row(explanation, "children").title == "said yes, on a page for children"
    assert {*allowed(explanation, "children").values()} == {False}
    assert allowed(explanation, "granted")["store"]
    assert row(explanation, "children").because == "refused (analytics)"
    assert "children" not in [each.key for each in the_one(library(), "_ga").rows]


def test_each_basis_is_told_once_with_its_purposes() -> None:
    """One sentence per basis that is present, and none for one that is not."""
    told = visit(OBJECTABLE)
    assert [*told] == [
        "Strictly necessary (necessary)",
        "Consent (analytics)",
        "Opt-out (polls)",
        "Global Privacy Control (polls and analytics)",
        "Do Not Track (analytics)",
        "Votes (PollTimeout-{pollid})",
        "Asked again",
        "Undeclared cookies",
    ]


def test_both_moments_of_implied_consent_are_told_apart() -> None:
    """With the next page, or at once; and what a regulator makes of either."""
    implied = LIBRARY.replace("mode: explicit", "mode: implied")
    assert "goes on to another page" in visit(implied)["Implied consent (analytics)"]
    at_once = visit(f"takes-effect: at-once\n{implied}")
    assert "very first page" in at_once["Implied consent, at once (analytics)"]
    assert "do not take that for consent" in at_once["Implied consent, at once (analytics)"]


def test_a_signal_that_is_not_honoured_is_told() -> None:
    """Silence would read as if it were."""
    told = visit(LIBRARY.replace("[gpc, dnt]", "[]"))
    assert told["Global Privacy Control (analytics)"] == "It is not honoured here."
    assert "Do Not Track (analytics)" not in told
    won = visit(f"preset: us-ca\nask-again-after: 1 year\n{LIBRARY}")
    assert "outweighs every grant" in won["Global Privacy Control (polls and analytics)"]


def test_a_site_without_what_is_strictly_necessary_tells_of_none() -> None:
    """There are sites that store nothing but on demand."""
    text = NECESSARY.replace("basis: strictly-necessary, ", "").replace(
        "justification: security, ", ""
    )
    assert next(iter(visit(text))) == "Consent (necessary)"


@pytest.mark.parametrize("level", Undeclared)
def test_undeclared_cookies_are_told_of(level: Undeclared) -> None:
    """The level is the line that most changes what a site does."""
    told = visit(LIBRARY.replace("hide", level.value))
    expected = {
        "report": "They pass",
        "block": "The server sets none; the app goes",
        "hide": "sees none",
    }
    assert expected[level.value] in told["Undeclared cookies"]


# Durations


@given(st.integers(1, 999), st.sampled_from(["second", "minute", "hour", "day", "month", "year"]))
def test_a_duration_is_told_as_it_could_be_written(count: int, unit: str) -> None:
    """What is printed can be put into the file, and means the same."""
    seconds = parse_duration(f"{count} {unit}")
    assert parse_duration(duration_in_words(seconds)) == seconds


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "the session"),
        (0, "0 seconds"),
        (1, "1 second"),
        (90, "90 seconds"),
        (395 * 86_400, "13 months"),
        (86_400, "1 day"),
    ],
)
def test_a_duration_in_words(seconds: float | None, words: str) -> None:
    """In the largest unit that tells it whole."""
    assert duration_in_words(seconds) == words


def test_an_explanation_for_machines_is_json() -> None:
    """Plain values all through."""
    inspection = inspect_text(LIBRARY, "consent.yaml")
    for name in ("_ga", "cart", "consent", "other"):
        for each in explain(library(), name):
            assert json.loads(json.dumps(each.for_machines(inspection.place_of)))["name"] == name


def test_every_basis_has_its_words() -> None:
    """The control of the sentences above: each basis of the rules is among them."""
    assert {basis for basis in Basis if basis is not Basis.STRICTLY_NECESSARY} == {
        Basis.CONSENT,
        Basis.IMPLIED,
        Basis.OPT_OUT,
    }
