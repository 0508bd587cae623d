from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.rules.faults import problems_in
from consentkit.rules.notice_faults import MOST_HINTS, NOTICE_RULES
from consentkit.rules.policy import Policy
from consentkit.rules.texts import TEXTS

PURPOSES = {"polls": {"title": "A", "description": "B"}}
SITE = {"name": "A site", "controller": "Its owner"}


def cookie(**changes: Any) -> dict[str, Any]:
    plain = {"kind": "session", "purpose": "polls", "description": "C"}
    return {"cookies": {"a": {**plain, **changes}}}


def purpose(**changes: Any) -> dict[str, Any]:
    return {"purposes": {**PURPOSES, "late": {"title": "A", "description": "B", **changes}}}


def texts(**own: str) -> dict[str, Any]:
    return {"texts": {"en": own}}


def policy(changes: dict[str, Any]) -> Policy:
    whole = {"site": SITE, "mode": "explicit", "purposes": PURPOSES}
    return Policy.model_validate({**whole, **changes})


KEY_CURE = "Write the key of a text, such as 'settings' or 'asks.consent.title'."
LABEL_CURE = "Write other words: one of them is a yes, and the other a no."
PATH_CURE = "Write it as '/kids', all below it meant: no '?', ';', '#', '*', '..' or '%20'."
FAULTS: list[tuple[str, dict[str, Any], str, str, str]] = [
    (
        "a text that reads backwards",
        purpose(title="a\u202eb"),
        "purposes.late.title",
        "purpose 'late' has the character '\\u202e' in 'title'",
        "Take it out: no page can show it.",
    ),
    (
        "empty text",
        purpose(title=" "),
        "purposes.late.title",
        "purpose 'late' has an empty 'title'",
        "Write what a visitor is to read, or take the key away.",
    ),
    (
        "empty words in a language",
        {**purpose(title={"en": "A", "cy": ""}), "languages": ["en", "cy"]},
        "purposes.late.title.cy",
        "purpose 'late' has an empty 'title'",
        "Write what a visitor is to read, or take the key away.",
    ),
    (
        "empty controller of the site",
        {"site": {**SITE, "controller": ""}},
        "site.controller",
        "'site' has an empty 'controller'",
        "Write what a visitor is to read, or take the key away.",
    ),
    *(
        (
            f"a {key} of the site that reads backwards",
            {"site": {**SITE, key: "a\u202eb"}},
            f"site.{key}",
            f"'site' has the character '\\u202e' in '{key}'",
            "Take it out: no page can show it.",
        )
        for key in ("name", "controller", "contact")
    ),
    (
        "empty name of the site",
        {"site": {**SITE, "name": ""}},
        "site.name",
        "'site' has an empty 'name'",
        "Write what a visitor is to read, or take the key away.",
    ),
    (
        "empty banner",
        {"banner": {"title": ""}},
        "banner.title",
        "'banner' has an empty 'title'",
        "Write what a visitor is to read, or take the key away.",
    ),
    (
        "no language",
        {"languages": []},
        "languages",
        "the policy has no language",
        "Write 'languages: [en]'.",
    ),
    (
        "malformed language",
        {"languages": ["en", "e"]},
        "languages.1",
        "'languages' has 'e', which is no language tag",
        "Write one such as 'en', 'nb' or 'pt-BR' (BCP 47).",
    ),
    (
        "language twice",
        {"languages": ["en", "en"]},
        "languages.1",
        "'languages' names 'en' twice",
        "Take one of them away.",
    ),
    (
        "language twice, once in capitals",
        {"languages": ["en", "EN", "en"]},
        "languages.1",
        "'languages' names 'en' and 'EN', which are the same",
        "Take one of them away.",
    ),
    (
        "no text in the first language",
        {"banner": {"title": {"cy": "A"}}, "languages": ["en", "cy"]},
        "banner.title",
        "'banner' has no 'title' in 'en', the first language",
        "Add it under 'title': every other language falls back on it.",
    ),
    (
        "text in a language that is not there",
        cookie(description={"en": "A", "cy": "B"}),
        "cookies.a.description.cy",
        "cookie 'a' has words in 'cy', which is not among the languages",
        "Add it to 'languages'; now there are: en.",
    ),
    (
        "text in no language",
        cookie(description={"en": "A", "e": "B"}),
        "cookies.a.description.e",
        "cookie 'a' has 'e', which is no language tag",
        "Write one such as 'en', 'nb' or 'pt-BR' (BCP 47).",
    ),
    (
        "text in the first language neither, of a button that is compared with another",
        {"languages": ["en", "cy"], "banner": {"reject": {"cy": "Na"}, "accept": "Yes"}},
        "banner.reject",
        "'banner' has no 'reject' in 'en', the first language",
        "Add it under 'reject': every other language falls back on it.",
    ),
    (
        "banner out of sight",
        {"mode": "implied", "banner": {"layout": "top"}},
        "banner.layout",
        "the banner's layout is 'top', and consent is implied by going on",
        ("Write 'sticky' or 'bottom': a notice that has scrolled away has not been seen."),
    ),
    (
        "banner that scrolls away, in a corner",
        {"mode": "implied", "banner": {"layout": "corner"}},
        "banner.layout",
        "the banner's layout is 'corner', and consent is implied by going on",
        ("Write 'sticky' or 'bottom': a notice that has scrolled away has not been seen."),
    ),
    (
        "takes-effect for nothing",
        {"takes_effect": "next-page"},
        "takes-effect",
        "'takes-effect' is set, and no purpose rests on implied consent",
        "Take it away, or write 'mode: implied'.",
    ),
    (
        "relative placeholder",
        {"placeholders": ["/a", "b"]},
        "placeholders.1",
        "'placeholders' has 'b', which is no path of this site",
        "Write paths that begin with '/', or ['*'] alone for every page.",
    ),
    (
        "star among placeholders",
        {"placeholders": ["*", "/a"]},
        "placeholders.0",
        "'placeholders' has '*', which is no path of this site",
        "Write paths that begin with '/', or ['*'] alone for every page.",
    ),
    (
        "a text of no name",
        texts(setings="A"),
        "texts.en.setings",
        "the notice has no text 'setings'",
        f"{KEY_CURE} Did you mean 'settings'?",
    ),
    (
        "a text with dashes",
        texts(**{"reject-all": "No"}),
        "texts.en.reject-all",
        "the notice has no text 'reject-all'",
        f"{KEY_CURE} Did you mean 'reject_all'?",
    ),
    (
        "a text of the nest",
        texts(**{"asks.consent.titel": "May we?"}),
        "texts.en.asks.consent.titel",
        "the notice has no text 'asks.consent.titel'",
        f"{KEY_CURE} Did you mean 'asks.consent.title'?",
    ),
    (
        "what a locale says of itself",
        texts(language="de"),
        "texts.en.language",
        "the notice has no text 'language'",
        KEY_CURE,
    ),
    (
        "a text in a language that is not there",
        {"texts": {"de": {"settings": "Cookies"}}},
        "texts.de",
        "'texts' has words in 'de', which is not among the languages",
        "Add it to 'languages'; now there are: en.",
    ),
    (
        "a text in a language in capitals",
        {"texts": {"EN": {"settings": "Cookies"}}},
        "texts.EN",
        "'texts' has words in 'EN', which is not among the languages",
        "Add it to 'languages'; now there are: en. Did you mean 'en'?",
    ),
    (
        "a text in no language",
        {"texts": {"settings": {}}},
        "texts.settings",
        "'texts' has 'settings', which is no language tag",
        "Write one such as 'en', 'nb' or 'pt-BR' (BCP 47).",
    ),
    (
        "an empty text of the notice",
        texts(responsible=" "),
        "texts.en.responsible",
        "'texts' has an empty 'responsible'",
        "Write what a visitor is to read, or take the key away.",
    ),
    (
        "no digits at all",
        texts(digits=""),
        "texts.en.digits",
        "'texts' has an empty 'digits'",
        "Write what a visitor is to read, or take the key away.",
    ),
    (
        "a text that no page can show",
        texts(settings="Cook\u0007ies"),
        "texts.en.settings",
        "'texts' has the character '\\x07' in 'settings'",
        "Take it out: no page can show it.",
    ),
    (
        "a fact that is lost",
        texts(responsible="We are responsible."),
        "texts.en.responsible",
        "'texts' has no {controller} in 'responsible'",
        "Write {controller} where it is to stand: it is filled in there.",
    ),
    (
        "a fact in other words",
        texts(responsible="By {controler}."),
        "texts.en.responsible",
        "'texts' has '{controler}' in 'responsible', which nothing is filled into",
        "Write what is filled in there: {controller}. Did you mean 'controller'?",
    ),
    (
        "one of two facts that is lost",
        texts(changed_items="{purpose} is new."),
        "texts.en.changed_items",
        "'texts' has no {names} in 'changed_items'",
        "Write {names} where it is to stand: it is filled in there.",
    ),
    (
        "a blank where nothing is filled in",
        texts(settings="Cookies of {site}"),
        "texts.en.settings",
        "'texts' has '{site}' in 'settings', which nothing is filled into",
        "Take it out: nothing is filled in there.",
    ),
    (
        "a blank without a name",
        texts(found="{} found"),
        "texts.en.found",
        "'texts' has '{}' in 'found', which nothing is filled into",
        "Write what is filled in there: {count}.",
    ),
    (
        "a blank that Python would look into",
        texts(found="{count.real} found"),
        "texts.en.found",
        "'texts' has '{count.real}' in 'found', which nothing is filled into",
        "Write what is filled in there: {count}. Did you mean 'count'?",
    ),
    (
        "a brace that opens nothing",
        texts(date="{day} {month} {year"),
        "texts.en.date",
        "'texts' has a '{' in 'date' that stands for nothing",
        "Write what is filled in there: {day}, {month} and {year}.",
    ),
    (
        "a brace that closes nothing",
        texts(label="Cookies :}"),
        "texts.en.label",
        "'texts' has a '}' in 'label' that stands for nothing",
        "Take it out: nothing is filled in there.",
    ),
    (
        "braces twice",
        texts(back="Back to {{site}}"),
        "texts.en.back",
        "'texts' has a '{' in 'back' that stands for nothing",
        "Write what is filled in there: {site}.",
    ),
    (
        "a number that many days lack",
        texts(**{"durations.day.other": "some days"}),
        "texts.en.durations.day.other",
        "'texts' has no {count} in 'durations.day.other'",
        "Write {count} where it is to stand: it is filled in there.",
    ),
    (
        "nine digits",
        texts(digits="123456789"),
        "texts.en.digits",
        "'texts' has '123456789' as 'digits', which are not ten of them",
        'Write the signs from nought to nine, as in "0123456789".',
    ),
    (
        "a digit twice",
        texts(digits="0123456788"),
        "texts.en.digits",
        "'texts' has '0123456788' as 'digits', which are not ten of them",
        'Write the signs from nought to nine, as in "0123456789".',
    ),
    (
        "a no that reads as the yes",
        texts(reject_all=" ok", accept_all="OK"),
        "texts.en.accept_all",
        "'texts' says 'OK' in 'accept_all' as in 'reject_all'",
        LABEL_CURE,
    ),
    (
        "an objection that reads as the permission",
        texts(opt_out="Next", allow="\uff2eext"),
        "texts.en.allow",
        "'texts' says '\uff2eext' in 'allow' as in 'opt_out'",
        LABEL_CURE,
    ),
    (
        "a banner whose no reads as its yes",
        {"banner": {"reject": "Continue", "accept": "continue"}},
        "banner.accept",
        "'banner' says 'continue' in 'accept' as in 'reject'",
        LABEL_CURE,
    ),
    (
        "a banner whose no reads as its yes in one language",
        {
            "languages": ["en", "cy", "de"],
            "banner": {
                "reject": {"en": "No", "cy": "Iawn", "de": "OK"},
                "accept": {"en": "Iawn", "de": "OK"},
            },
        },
        "banner.accept",
        "'banner' says 'Iawn' in 'accept' as in 'reject'",
        LABEL_CURE,
    ),
    *(
        (
            f"a path for children that is {name}",
            {"child-directed": ["/kids", path]},
            "child-directed.1",
            f"'child-directed' has {path!r}, which is no path that a page could have",
            PATH_CURE,
        )
        for name, path in {
            "relative": "games",
            "empty": "",
            "with a query": "/games?level=1",
            "with a fragment": "/games#top",
            "with a star": "/games/*",
            "above": "/games/../grown-ups",
            "above at the end": "/games/..",
            "here": "/games/./dice",
            "of dots": "/games/...",
            "with a parameter": "/games;level=1",
            "with blanks": "/our games",
            "with an escape": "/our%20games",
            "with a backslash": "/our\\games",
            "of another host": "https://kids.example/",
        }.items()
    ),
    (
        "templates nowhere",
        {"templates": " "},
        "templates",
        "'templates' names no folder",
        "Write the path of a folder, or take the line away.",
    ),
]
AT_KEY = {
    "malformed language",
    "no text in the first language",
    "text in a language that is not there",
    "text in no language",
    "text in the first language neither, of a button that is compared with another",
    "takes-effect for nothing",
    "a text of no name",
    "a text with dashes",
    "a text of the nest",
    "what a locale says of itself",
    "a text in a language that is not there",
    "a text in a language in capitals",
    "a text in no language",
}
"""Those whose key would be another, or taken away, or that stand at a whole entry."""


@pytest.mark.parametrize(
    ("changes", "loc", "what", "cure"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS]
)
def test_a_fault_is_one_problem_with_its_place_and_its_cure(
    changes: dict[str, Any], loc: str, what: str, cure: str
) -> None:
    """One slip is one problem: where, what, and what to do."""
    (problem,) = problems_in(policy(changes))
    assert (".".join(problem.loc), problem.what, problem.cure) == (loc, what, cure)
    assert not problem.is_warning


@pytest.mark.parametrize("row", FAULTS, ids=[row[0] for row in FAULTS])
def test_a_problem_that_is_about_a_key_points_at_it(row: tuple[Any, ...]) -> None:
    """All others point at the value, which is what is to be written anew."""
    (problem,) = problems_in(policy(row[1]))
    assert problem.at_key is (row[0] in AT_KEY)


SOUND: dict[str, dict[str, Any]] = {
    "a text from the right": purpose(title="a\u200fb\u200d\u200cc"),
    "all languages": {
        "languages": ["en", "zh-Hant"],
        **cookie(description={"en": "A", "zh-Hant": "B"}),
    },
    "some languages": {"languages": ["en", "cy"], **cookie(description={"en": "A"})},
    "implied, in sight": {
        "mode": "implied",
        "takes_effect": "at-once",
        "banner": {"layout": "sticky"},
    },
    "implied by one purpose": {
        **purpose(basis="implied"),
        "takes_effect": "at-once",
        "banner": {"layout": "bottom"},
    },
    "explicit, anywhere": {"banner": {"layout": "corner"}},
    "placeholders": {"placeholders": ["/a", "/b"]},
    "placeholders everywhere": {"placeholders": ["*"]},
    "own words": {"banner": {"title": "A", "body": {"en": "B"}}},
    "texts": texts(settings="Cookies", responsible="{controller} (that is, {controller})"),
    "texts in two languages": {
        "languages": ["en", "cy"],
        "texts": {"cy": {"settings": "Cwcis"}, "en": {}},
    },
    "one day in a word": texts(**{"durations.day.one": "a day", "durations.day.zero": "no day"}),
    "one day in a number": texts(**{"durations.day.one": "{count} day"}),
    "other digits": texts(digits="\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669"),
    "parts of sentences": texts(both=" & ", comma="; "),
    "a no alone": texts(reject_all="No"),
    "a no and a yes": texts(reject_all="No", accept_all="Yes", reject="Yes, that is no"),
    "a banner with a no alone": {"banner": {"reject": "No"}},
    "a banner with a yes alone": {"banner": {"accept": "Yes"}},
    "a banner with both": {
        "languages": ["en", "cy"],
        "banner": {"reject": "No", "accept": {"en": "Yes", "cy": "Iawn"}},
    },
    "paths for children": {"child-directed": ["/kids", "/f\u00fcr-kinder/", "/", "/a.b/..c", "/%"]},
    "templates": {"templates": "notice"},
}


@pytest.mark.parametrize("changes", SOUND.values(), ids=SOUND)
def test_what_holds_is_no_problem(changes: dict[str, Any]) -> None:
    """The control for every rule: its neighbour that is right."""
    assert problems_in(policy(changes)) == []


@pytest.mark.parametrize(
    ("changes", "unread"),
    [
        ({"takes_effect": "at-once"}, ("purposes", "gone")),
        ({"takes_effect": "at-once"}, ("mode",)),
        ({"mode": "implied", "banner": {"layout": "top"}}, ("mode",)),
        (cookie(description={"cy": "A"}), ("languages",)),
        ({"texts": {"cy": {}}}, ("languages",)),
    ],
)
def test_nothing_is_said_of_what_hangs_on_a_part_that_was_not_read(
    changes: dict[str, Any], unread: tuple[str, ...]
) -> None:
    """The fault there is reported already; with the part read, the same is a problem."""
    assert problems_in(policy(changes), {unread}) == []
    assert problems_in(policy(changes)) != []


def test_labels_that_are_missing_in_a_language_are_not_the_same_there() -> None:
    """That they are missing is a fault already, one of each."""
    banner = {"reject": {"cy": "Na"}, "accept": {"cy": "Iawn"}}
    found = problems_in(policy({"languages": ["en", "cy"], "banner": banner}))
    assert {each.loc for each in found} == {("banner", "reject"), ("banner", "accept")}
    assert all("has no" in each.what for each in found)


def test_every_text_of_the_notice_is_judged() -> None:
    """A file is repaired once, and not once for each of its texts."""
    found = problems_in(policy(texts(responsible=" ", digits="1", settings="{", found="{")))
    assert [(each.loc[-1], each.what.partition("'texts' ")[2]) for each in found] == [
        ("responsible", "has an empty 'responsible'"),
        ("digits", "has '1' as 'digits', which are not ten of them"),
        ("settings", "has a '{' in 'settings' that stands for nothing"),
        ("found", "has a '{' in 'found' that stands for nothing"),
    ]


def test_every_rule_leans_on_keys_of_a_policy() -> None:
    """A word that is no key would let a rule judge what was never read."""
    keys = {str(info.alias) for info in Policy.model_fields.values()}
    assert {key for leans_on, _ in NOTICE_RULES for key in leans_on} <= keys


def test_of_many_unknown_texts_the_first_are_told_what_was_meant() -> None:
    """To look for a near word takes longest, and whoever has that many reads one cure."""
    many = {f"settings{number}": "A" for number in range(MOST_HINTS + 5)}
    found = problems_in(policy(texts(**many)))
    assert len(found) == len(many)
    hint = " Did you mean 'settings'?"
    assert [each.cure for each in found] == [f"{KEY_CURE}{hint}"] * MOST_HINTS + [KEY_CURE] * 5


@given(st.sampled_from(sorted(TEXTS.keys() - {"digits"})), st.text("{}ab!:. ", min_size=1))
def test_what_holds_can_be_filled_in(key: str, words: str) -> None:
    """No visitor's page ends in an error because of a brace: the rule is as strict as Python."""
    if not problems_in(policy(texts(**{key: words}))):
        names = dict.fromkeys(TEXTS[key].allowed, "x")
        assert "{" not in words.format(**names)


@given(st.sampled_from(sorted(TEXTS.keys() - {"digits"})), st.data())
def test_a_text_with_all_that_is_filled_in_holds(key: str, data: st.DataObject) -> None:
    """Anything around it does, and in any order."""
    parts = [f"{{{name}}}" for name in sorted(TEXTS[key].needed)]
    around = st.text(
        st.characters(codec="utf-8", categories=("L", "N", "P"), exclude_characters="{}")
    )
    words = "".join(part + data.draw(around) for part in data.draw(st.permutations(["A", *parts])))
    assert problems_in(policy(texts(**{key: words}))) == []


@given(st.text("/.ab*?;#% \\", max_size=8), st.text("ab", max_size=6))
def test_a_path_for_children_holds_below_itself_alone(path: str, below: str) -> None:
    """What holds as a path leads to its pages, and not to those beside it (R-11)."""
    marked = policy({"child-directed": [path]})
    if problems_in(marked):
        return
    bare = path.rstrip("/")
    assert marked.is_for_children(path)
    assert marked.is_for_children(bare or "/")
    assert marked.is_for_children(f"{bare}/{below}")
    assert not (bare and marked.is_for_children(f"{bare}x{below}"))
