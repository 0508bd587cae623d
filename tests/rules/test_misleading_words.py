from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.rules.misleading_words import GOING_ON, misleading_words_in

GOES_ON = "takes going on for an answer"
PRAISES = "praises instead of saying what happens"
CLOSES = "makes closing the notice a yes"


def found_in(text: str) -> list[str]:
    return [each.what for each in misleading_words_in(text)]


MISLEADING: dict[str, list[str]] = {
    "en": [
        "By continuing to browse our site you agree to our cookies.",
        "By continuing to use this site without changing your settings, you accept cookies.",
        "By proceeding you agree",
        "By continuing",
        "BY CONT\u0130NUING",
        "By\u00a0continuing",
        "By  continuing",
        "by con\u00adtinuing",
        "We use cookies. If you continue to use our website, we take it that you are happy.",
        "Your continued use of this website means consent.",
        "By using our service, you accept cookies.",
        "By visiting this page you are agreeing to nothing, and you consent to cookies.",
        "By closing this notice you agree to our use of cookies.",
        "If you use this site, you agree to cookies.",
        "Use of this site is taken as consent.",
        "Cookies are set on this website if you continue.",
        "You accept cookies if you continue.",
    ],
    "de": [
        "Durch die weitere Nutzung",
        "Durch die weitere Nutzung der Website stimmen Sie zu.",
        "Weitersurfen gilt als Einwilligung",
        "Mit der Nutzung unserer Dienste erklären Sie sich einverstanden.",
        "Wenn Sie auf dieser Seite weitersurfen, akzeptieren Sie Cookies.",
        "Indem Sie fortfahren, stimmen Sie zu.",
    ],
    "fr": [
        "Si vous continuez",
        "En poursuivant votre navigation, vous acceptez les cookies.",
        "En navigant sur ce site, vous acceptez les cookies.",
        "La poursuite de la navigation vaut acceptation.",
        "L'utilisation de ce site vaut acceptation.",
        "L\u2019utilisation de ce site vaut acceptation.",
    ],
    "es": [
        "Al continuar navegando acepta las cookies.",
        "Si continúa en este sitio, acepta.",
        "Al utilizar este sitio usted acepta las cookies.",
    ],
    "it": [
        "Proseguendo la navigazione accetti i cookie.",
        "Se continui a navigare, acconsenti.",
        "Utilizzando questo sito accetti i cookie.",
    ],
    "nl": [
        "Door verder te gaan accepteert u cookies.",
        "Door deze site te blijven gebruiken gaat u akkoord.",
        "Door gebruik van deze site gaat u akkoord met cookies.",
        "Als u verdergaat op deze site, stemt u in.",
    ],
}
HARMLESS: dict[str, list[str]] = {
    "en": [
        "You can withdraw at any time by visiting the cookie page.",
        "You can withdraw your consent at any time by visiting the cookie page.",
        "Pay by using your card: the payment stays safe.",
        "Remembers the size of type by closing the dialog.",
        "Stored by visiting a page of the poll.",
        "You may continue without accepting.",
        "If you continue without accepting, only necessary cookies are set on this site.",
        "Continue reading",
        "You finish the order by continuing to the last step.",
    ],
    "de": [
        "Mit der Nutzung der Suche wird der Begriff gespeichert.",
        "Wenn Sie weitersurfen, ohne zuzustimmen, geschieht auf dieser Seite nichts.",
        "Speichert die Größe der Schrift.",
    ],
    "fr": [
        "Si vous continuez sans accepter, rien n'est enregistré sur ce site.",
        "Vous payez en utilisant votre carte.",
    ],
    "es": ["Si continúa sin aceptar, este sitio no guarda nada.", "Al cerrar la sesión se borra."],
    "it": ["Continuando senza accettare, il sito non salva nulla.", "Si paga usando la carta."],
    "nl": [
        "Als u verdergaat zonder te accepteren, bewaart de site niets.",
        "U betaalt door uw kaart te gebruiken.",
    ],
}


def each_of(table: dict[str, list[str]]) -> list[str]:
    return [text for texts in table.values() for text in texts]


@pytest.mark.parametrize("text", each_of(MISLEADING))
def test_going_on_is_no_answer(text: str) -> None:
    """Whoever reads on has not said anything (R-07, R-09)."""
    assert found_in(text) == [GOES_ON]
    assert found_in(f"A sentence before. {text}") == [GOES_ON]


@pytest.mark.parametrize("text", each_of(HARMLESS))
def test_who_does_something_else_is_not_misled(text: str) -> None:
    """A fault about an innocent sentence stops a site for nothing."""
    assert found_in(text) == []


def test_every_language_has_its_sentences() -> None:
    """A row that no sentence meets is a row that nobody read."""
    assert set(MISLEADING) == set(HARMLESS) == set(GOING_ON)


@pytest.mark.parametrize(
    "text",
    [
        "To improve your experience.",
        "to give you the most relevant experience",
        "Wir möchten Ihr Erlebnis verbessern",
        "Verbesserung der Nutzererfahrung",
        "Für ein optimales Surferlebnis",
        "Pour améliorer votre expérience",
        "Para mejorar su experiencia",
        "Per migliorare la tua esperienza",
        "Om uw ervaring te verbeteren",
    ],
)
def test_praise_says_nothing(text: str) -> None:
    """A visitor wants to know what is stored, and what for."""
    assert found_in(text) == [PRAISES]


@pytest.mark.parametrize(
    "text",
    [
        "Accept & close",
        "OK, continue",
        "Agree and proceed",
        "Allow and continue",
        "Alle akzeptieren und fortfahren",
        "Accepter et fermer",
        "Aceptar y continuar",
        "Accetta e chiudi",
        "Accepteren en sluiten",
        "Accept all \u2013 close",
    ],
)
def test_closing_is_no_yes(text: str) -> None:
    """A button does what it says, and one thing (VG Hannover 10 A 5385/22)."""
    assert found_in(text) == [CLOSES]


@pytest.mark.parametrize(
    "text",
    [
        "Accept",
        "Close",
        "Close and continue",
        "We lost experience",
        "Experience counts",
        "An experience of years",
        "Got it",
        "I accept the rules and the close of the poll",
    ],
)
def test_plain_words_are_not_spoken_of(text: str) -> None:
    """The control of both."""
    assert found_in(text) == []


def test_all_three_are_found_in_one_text() -> None:
    """Each once, with what to write instead."""
    text = "By continuing you agree. We improve your experience. Accept and close! By continuing."
    found = [*misleading_words_in(text)]
    assert [each.what for each in found] == [GOES_ON, PRAISES, CLOSES]
    assert [each.words for each in found] == [
        "by continuing",
        "improve your experience",
        "accept and close",
    ]
    assert all(each.cure.endswith("(R-07).") for each in found)


@given(
    st.sampled_from([text for text in each_of(MISLEADING) if "\u0130" not in text]),
    st.sampled_from(["\u00a0", "  ", "\n", "\t", "\u2009"]),
    st.sampled_from([str.upper, str.lower, str]),
)
def test_white_space_and_case_make_no_difference(text: str, space: str, case: object) -> None:
    """What looks the same reads the same."""
    assert callable(case)
    assert found_in(case(text).replace(" ", space)) == [GOES_ON]


@given(st.sampled_from(each_of(MISLEADING)), st.data())
def test_what_nobody_sees_makes_no_difference(text: str, data: st.DataObject) -> None:
    """A soft hyphen in a word leaves the word as it is."""
    at = data.draw(st.integers(0, len(text)))
    unseen = data.draw(st.sampled_from("\u00ad\u200b\u2060\ufeff"))
    assert found_in(text[:at] + unseen + text[at:]) == [GOES_ON]


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    """Each thing is said once at most."""
    found = found_in(text)
    assert len(found) == len({*found})


@pytest.mark.parametrize(
    "piece",
    [
        "improv",
        "improve ",
        "erlebnis",
        "erlebnis ",
        "optimize",
        "personaliz",
        "by using ",
        "x. ",
        "indem sie ",
        "door a b c d ",
        "you a b ",
        "as a a ",
        "accept ",
        "optimal erlebnis",
    ],
)
def test_a_long_text_is_read_in_one_go(piece: str) -> None:
    """Twice the text takes twice the time, about: what begins a phrase again and again is cheap."""
    start = process_time()
    found_in(piece * (100_000 // len(piece)))
    assert process_time() - start < 2
