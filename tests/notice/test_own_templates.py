"""A site's own templates: what it may change, and what it may not."""

from pathlib import Path
from typing import Any

import pytest
from jinja2 import TemplateNotFound

from consentkit import TemplateError
from consentkit.notice.banner import Links, Shown, State, banner_markup
from consentkit.notice.own_templates import check_templates, check_words
from consentkit.notice.templates import digest_of_templates, render
from consentkit.rules.policy import Policy
from tests.notice import PURPOSES, asking_nothing, policy_of, text_of

ASKING = Shown(State.ASK, PURPOSES)
LINKS = Links("/consent", "/consent/assets/consent.css", "/consent/assets/consent.js")


def site(folder: Path, **templates: str) -> Policy:
    """A site with these templates; their names have no ending."""
    folder.mkdir(exist_ok=True)
    for name, text in templates.items():
        (folder / f"{name}.html").write_text(text, "utf-8")
    return policy_of(templates=str(folder))


def test_one_block_is_filled_and_the_rest_is_ours(tmp_path: Path) -> None:
    """A site says more in its banner without writing the form anew."""
    own = (
        '{% extends "consentkit/banner.html" %}{% block facts %}<p>Ask the desk.</p>{% endblock %}'
    )
    policy = site(tmp_path, banner=own)
    check_templates(policy)
    said = text_of(banner_markup(policy, "en", ASKING, LINKS).fill(b"/"))
    ours = text_of(banner_markup(policy_of(), "en", ASKING, LINKS).fill(b"/"))
    assert "Ask the desk." in said
    assert "Ask the desk." not in ours
    assert "Reject all Accept all Choose for each purpose" in said


def test_what_is_included_may_be_a_sites_own_too(tmp_path: Path) -> None:
    """Our pages include what they share: one file changes it everywhere."""
    policy = site(tmp_path, stylesheets='<link rel="stylesheet" href="/house.css">')
    page = render(policy, "message.html", "en", **MESSAGE)
    assert b"/house.css" in page
    assert b"/house.css" not in render(policy_of(), "message.html", "en", **MESSAGE)


MESSAGE = {
    "site": policy_of().site,
    "said": {"title": "No", "body": "It did not arrive."},
    "path": "/consent",
    "stylesheets": (),
    "next": "/",
}


def test_a_text_of_the_policy_is_escaped_in_a_sites_own_template(tmp_path: Path) -> None:
    """Whoever writes a template need not think of it."""
    policy = site(tmp_path, banner="<p>{{ controller }}</p>")
    policy = policy.model_copy(
        update={"site": policy.site.model_copy(update={"controller": "<script>"})}
    )
    assert b"<p>&lt;script&gt;</p>" in banner_markup(policy, "en", ASKING, LINKS).fill(b"/")


ANY_FORM = """<section id="consentkit"><a href="{{ path }}">Choose</a>
{{ groups | map(attribute="items") | map("join", ", ") | join if groups is defined }}
<form method="post" action="{{ path }}"><input type="hidden" name="next" value="">%s</form>"""
NAMED = (
    """{% for one in only %}<input type="hidden" name="purpose" value="{{ one }}">{% endfor %}"""
)
FORM = ANY_FORM.replace("%s", NAMED.replace("%", "%%") + "%s")
REJECT = '<button name="choice" value="reject-all" class="a">No</button>'
ACCEPT = '<button name="choice" value="accept-all" class="a">Yes</button>'
SAVE = '<button name="choice" value="save">Save</button>'
WITHDRAW = '<button name="choice" value="withdraw">Withdraw</button>'
SWITCHES = "".join(f'<input type="checkbox" name="purpose" value="{name}">' for name in PURPOSES)


@pytest.mark.parametrize(
    ("own", "fault"),
    [
        (FORM % (REJECT + ACCEPT.replace('"a"', '"big"')), "differ"),
        (FORM % (REJECT + ACCEPT.replace("class", "style")), "differ"),
        (FORM % (ACCEPT + REJECT), "first button is not choice=reject-all"),
        (FORM % ACCEPT, "needs one button with choice=reject-all"),
        (FORM % (REJECT + ACCEPT + ACCEPT), "needs one button with choice=reject-all"),
        (FORM.replace('name="next"', 'name="back"') % (REJECT + ACCEPT), "no field 'next'"),
        (ANY_FORM % (REJECT + ACCEPT), "does not name the purposes"),
        (FORM.replace('<a href="{{ path }}">', "<a>") % (REJECT + ACCEPT), "no link"),
        (FORM.replace('id="consentkit"', "") % (REJECT + ACCEPT), "id 'consentkit'"),
        (FORM.replace("groups", "gone") % (REJECT + ACCEPT), "does not name the purpose 'Polls'"),
        (FORM.replace('action="{{ path }}"', 'action="/yes"') % (REJECT + ACCEPT), "elsewhere"),
        (FORM % ('<input name="choice" value="accept-all">' + REJECT + ACCEPT), "field 'choice'"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{% block", "line 1"),
        ("{{ nothing_of_ours }}", "cannot be filled in: 'nothing_of_ours' is undefined"),
        ('{% extends "consentkit/bannr.html" %}', "bannr.html"),
    ],
)
def test_a_banner_that_cannot_stand_stops_the_start(tmp_path: Path, own: str, fault: str) -> None:
    """Refusing is as easy as granting (R-12), and every answer arrives."""
    with pytest.raises(TemplateError, match=fault) as caught:
        check_templates(site(tmp_path, banner=own))
    assert caught.value.template == "banner.html"
    assert 'extends "consentkit/banner.html"' in caught.value.cure


def test_a_banner_of_the_sites_own_that_has_everything_stands(tmp_path: Path) -> None:
    """The control of the above."""
    check_templates(site(tmp_path, banner=FORM % (REJECT + ACCEPT)))


@pytest.mark.parametrize(
    ("own", "fault"),
    [
        (ANY_FORM % (REJECT + ACCEPT), "first button is not choice=save"),
        (ANY_FORM % (SAVE + REJECT + ACCEPT), "no switch for purpose 'polls'"),
        (
            ANY_FORM % (SWITCHES.replace("embeds", "films") + SAVE + REJECT + ACCEPT),
            "no switch for purpose 'embeds'",
        ),
        (
            ANY_FORM % (SWITCHES.replace("value", "checked value") + SAVE + REJECT + ACCEPT),
            "is on before anybody answered",
        ),
        (ANY_FORM % (SWITCHES + SAVE + REJECT + ACCEPT), "no field 'whole'"),
    ],
)
def test_preferences_that_cannot_stand_stop_the_start(tmp_path: Path, own: str, fault: str) -> None:
    """Enter never accepts, and each purpose is answered by itself (R-04)."""
    with pytest.raises(TemplateError, match=fault) as caught:
        check_templates(site(tmp_path, preferences=own))
    assert caught.value.template == "preferences.html"


def test_preferences_of_the_sites_own_that_have_everything_stand(tmp_path: Path) -> None:
    """The control of the above."""
    whole = '<input type="hidden" name="whole" value="1">'
    own = ANY_FORM % (whole + SWITCHES + SAVE + REJECT + ACCEPT)
    check_templates(site(tmp_path, preferences=own))


@pytest.mark.parametrize(
    "own",
    [
        ANY_FORM % "",
        ANY_FORM % ACCEPT,
        ANY_FORM.replace('name="next"', 'name="back"') % WITHDRAW,
        WITHDRAW,
    ],
)
def test_a_line_that_cannot_take_an_answer_back_stops_the_start(tmp_path: Path, own: str) -> None:
    """Withdrawing is as easy as granting (R-13); the control is a line that can."""
    check_templates(site(tmp_path, line=ANY_FORM % WITHDRAW))
    # Another folder, since a template is read once.
    with pytest.raises(TemplateError) as caught:
        check_templates(site(tmp_path / "other", line=own))
    assert caught.value.template == "line.html"


@pytest.mark.parametrize(
    ("template", "blamed"),
    [
        ("declaration", "declaration.html"),
        ("table", "declaration.html"),
        ("declaration_part", "declaration_part.html"),
        ("receipt", "receipt.html"),
        ("message", "message.html"),
        ("link", "link.html"),
        ("notice", "notice.html"),
        ("embed", "embed.html"),
        ("stylesheets", "preferences.html"),
        ("dialog", "dialog.html"),
    ],
)
def test_whatever_a_visitor_may_be_shown_can_be_filled_in(
    tmp_path: Path, template: str, blamed: str
) -> None:
    """A slip would else be found by the first visitor who meets that page."""
    with pytest.raises(TemplateError, match="nothing_of_ours") as caught:
        check_templates(site(tmp_path, **{template: "{{ nothing_of_ours }}"}))
    assert caught.value.template == blamed


def test_what_asks_nothing_needs_no_form(tmp_path: Path) -> None:
    """Where nothing is optional there is no answer to lose."""
    (tmp_path / "banner.html").write_text("Hello", "utf-8")
    check_templates(asking_nothing().model_copy(update={"templates": str(tmp_path)}))
    check_templates(policy_of())


def test_a_template_nobody_has_is_no_template(tmp_path: Path) -> None:
    """A control: names are looked up, first in the site's folder and then in ours."""
    with pytest.raises(TemplateNotFound):
        render(site(tmp_path), "nowhere.html", "en")


def worded(language: str, **own: Any) -> Policy:
    return policy_of(languages=["en", language], **own)


@pytest.mark.parametrize(
    ("language", "own", "fault"),
    [
        ("de", {"texts": {"de": {"reject_all": "Alle annehmen"}}}, "both say 'Alle annehmen'"),
        ("de", {"texts": {"de": {"reject": " ANNEHMEN "}}}, "both say ' ANNEHMEN '"),
        ("de", {"texts": {"de": {"allow": "Widersprechen"}}}, "both say 'Widersprechen'"),
        ("de", {"banner": {"reject": {"en": "No", "de": "alle annehmen"}}}, "'de' its refusal"),
        ("de", {"banner": {"accept": "Reject all"}}, "in 'en' its refusal"),
        ("de", {"texts": {"de": {"durations.day.other": "Tage"}}}, "stands for 0 and 2"),
        ("pl", {"texts": {"pl": {"durations.day.few": "dni"}}}, "stands for 2 and 3"),
        ("uk", {"texts": {"uk": {"durations.day.one": "день"}}}, "stands for 1 and 21"),
    ],
)
def test_words_that_say_what_is_not_so_stop_the_start(
    language: str, own: dict[str, Any], fault: str
) -> None:
    """R-12, R-73: a no that reads like a yes, or a duration that does not say how long.

    The other label, and the language's plural forms, are ours: no check of a policy sees them.
    """
    with pytest.raises(TemplateError, match=fault) as caught:
        check_words(worded(language, **own))
    assert caught.value.template == "banner.html"


@pytest.mark.parametrize(
    ("language", "own"),
    [
        ("de", {}),
        ("de", {"texts": {"de": {"reject_all": "Nein", "accept_all": "Ja"}}}),
        ("de", {"banner": {"reject": {"en": "No", "de": "Nein"}, "accept": "Yes"}}),
        ("de", {"texts": {"de": {"durations.day.one": "ein Tag"}}}),
        ("ar", {"texts": {"ar": {"durations.day.two": "\u064a\u0648\u0645\u0627\u0646"}}}),
    ],
)
def test_words_that_are_the_sites_own_and_true_stand(language: str, own: dict[str, Any]) -> None:
    """The control: a form that stands for one number alone may say it in a word."""
    check_words(worded(language, **own))


def test_a_template_is_told_from_another_by_what_it_says(tmp_path: Path) -> None:
    """Caches that outlive a start must not keep what another template made."""
    plain = digest_of_templates(policy_of())
    assert digest_of_templates(policy_of("implied")) == plain
    own = site(tmp_path / "own", link="Settings")
    assert digest_of_templates(own) != plain
    assert digest_of_templates(site(tmp_path / "same", link="Settings")) == digest_of_templates(own)
    assert digest_of_templates(site(tmp_path / "other", link="Choices")) != digest_of_templates(own)
    assert digest_of_templates(site(tmp_path / "empty")) == plain


def test_what_is_no_template_changes_no_page(tmp_path: Path) -> None:
    """An editor's copy, or a picture, beside the templates."""
    policy = site(tmp_path, link="Settings")
    before = digest_of_templates(policy)
    (tmp_path / "link.html~").write_text("Choices", "utf-8")
    assert digest_of_templates(policy) == before
    (tmp_path / "old.html").write_bytes(
        "T\u00e9moins".encode("latin-1")
    )  # no fault before it is used
    assert digest_of_templates(policy) != before
