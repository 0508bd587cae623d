"""Words of a notice that regulators and courts called misleading, in six languages (LAW R-07).

It has never heard of a policy, a key or a place: it reads one text and says what it found there.

Three things mislead: taking it for an answer that somebody goes on, praise in the place of what
happens, and a button that closes the notice with a yes. `GOING_ON` is the table of the first, a
row for each language. "By continuing" misleads where it begins a sentence, or where the sentence
names this site or an agreement. "By using" is said of much else (a card, a search), so it
misleads only together with an agreement. Who goes on *without* accepting is not misled.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["GOING_ON", "GoingOn", "Misleading", "misleading_words_in"]


class Misleading(NamedTuple):
    """The words, what they do, and what to write instead."""

    words: str
    what: str
    cure: str


class GoingOn(NamedTuple):
    """How a language says that going on is a yes; each is a part of a regular expression.

    `surely` are beginnings that hardly mean anything else, `perhaps` those that may. `here` is
    what one goes on with, `agreeing` what is made of it. `without` is what makes it harmless: to
    go on without accepting.
    """

    surely: str
    perhaps: str
    here: str
    agreeing: str
    without: str


GOING_ON: Final[dict[str, GoingOn]] = {
    "en": GoingOn(
        surely=r"by (?:continuing|proceeding|carrying on|scrolling|browsing on)"
        r"|if you (?:continue|proceed|carry on|keep (?:on )?(?:us|brows|visit)ing)"
        r"|(?:your )?continued (?:use|browsing)|(?:by )?continuing to (?:use|browse|visit)",
        perhaps=r"(?:by|when you are|through) (?:your )?(?:us(?:e|ing)|visit(?:ing)?|browsing"
        r"|accessing|entering|closing|staying)|if you (?:use|visit|browse|stay|close)"
        r"|(?:your )?use of (?:this|our|the) (?:web ?)?(?:site|page|service)",
        here=r"(?:web ?)?(?:sites?|pages?)|services?|portals?|browsing|brows(?:e|er)",
        agreeing=r"you (?:\w{1,20} ){0,2}(?:agree|accept|consent|acknowledge|permit|allow)"
        r"|(?:taken|treated|seen|regarded|deemed|counts?) (?:as|to be)? ?(?:\w{1,20} ){0,2}"
        r"(?:yes|consent|agreement|acceptance)"
        r"|(?:is|means|constitutes|signifies|implies|give|giving) (?:\w{1,20} ){0,2}"
        r"(?:consent|agreement|acceptance)",
        without=r"without (?:accepting|agreeing|consent\w{0,3}|answering|cookies|an? account)",
    ),
    "de": GoingOn(
        surely=r"durch (?:die |das |ihre |deine )?(?:weiteren? nutzung|weitersurfen|weiternutzen)"
        r"|mit (?:der |ihrer |deiner )?weiteren nutzung|weitersurfen|beim weitersurfen"
        r"|(?:indem|wenn|falls|sofern) (?:sie|du) (?:\w{1,20} ){0,4}(?:fortfahr|fortsetz"
        r"|weitersurf|weiternutz|weiter (?:nutz|surf|besuch))\w{0,10}"
        r"|(?:indem|wenn) (?:sie|du) (?:fort|weiter)\w{0,20}",
        perhaps=r"(?:durch|mit|bei) (?:die |der |ihre |ihrer )?(?:be)?nutzung"
        r"|durch (?:den |ihren )?besuch"
        r"|(?:indem|wenn) (?:sie|du) (?:\w{1,20} ){1,4}(?:nutzen|besuchen|schlie(?:ß|ss)en)",
        here=r"\w{0,15}(?:seiten?|sites?)|website|angebots?|dienste?s?|portals?|webauftritt\w{0,2}",
        agreeing=r"(?:stimm|willig|akzeptier)\w{0,6}|einverstanden|einverständnis\w{0,4}"
        r"|einwilligung|zustimmung",
        without=r"ohne (?:zuzustimmen|einzuwilligen|zustimmung|einwilligung|zu akzeptieren)",
    ),
    "fr": GoingOn(
        surely=r"en (?:poursuivant|continuant)|si vous (?:continuez|poursuivez)"
        r"|(?:la )?poursuite de (?:la |votre )?navigation",
        perhaps=r"en (?:navigant sur|utilisant|visitant|consultant|fermant|accédant à)"
        r"|l'utilisation (?:de ce|du) site",
        here=r"sites?|pages?|services?|navigation|naviguer",
        agreeing=r"(?:vous )?(?:acceptez|consentez)|(?:vaut|vous donnez) (?:\w{1,20} ){0,2}"
        r"(?:acceptation|accord|consentement)",
        without=r"sans (?:accepter|consentir|accord|consentement|cookies)",
    ),
    "es": GoingOn(
        surely=r"al (?:continuar|seguir)|si (?:contin[uú]a|sigue|contin[uú]as|sigues)"
        r"|continuando|siguiendo con la navegación",
        perhaps=r"al (?:usar|utilizar|navegar|visitar|acceder|cerrar)|si (?:usa|utiliza|navega)",
        here=r"sitios?|webs?|p[aá]ginas?|servicios?|navegaci[oó]n|navegando",
        agreeing=r"(?:usted )?(?:acept[aáo]s?|consientes?|aceptando|autorizas?)"
        r"|(?:da|dando|otorga) (?:\w{1,20} ){0,1}consentimiento|consideramos que acepta",
        without=r"sin (?:aceptar|consentir|consentimiento|cookies)",
    ),
    "it": GoingOn(
        surely=r"(?:pro)?seguendo|continuando|se (?:si )?(?:continua|continui|prosegui|prosegue)"
        r"|proseguimento della navigazione",
        perhaps=r"(?:utilizzando|usando|visitando|navigando|accedendo|chiudendo|scorrendo)",
        here=r"siti?|pagin[ae]|serviz(?:io|i)|navigazione|navigare",
        agreeing=r"(?:accett|acconsent)(?:i|a|e|ate|ite|ando)|(?:presti|presta|dai|dà) "
        r"(?:\w{1,20} ){0,2}consenso",
        without=r"senza (?:accettare|acconsentire|consenso|cookie)",
    ),
    "nl": GoingOn(
        surely=r"door (?:verder te (?:gaan|surfen|klikken|bladeren)|verder gebruik|door te gaan)"
        r"|door (?:\w{1,20} ){0,5}te blijven gebruiken"
        r"|als (?:u|je) (?:verder ?(?:gaat|surft)|doorgaat)",
        perhaps=r"door (?:gebruik|het gebruik|(?:\w{1,20} ){0,4}te (?:gebruiken|bezoeken|sluiten))"
        r"|als (?:u|je) (?:\w{1,20} ){0,4}gebruikt",
        here=r"(?:web)?sites?|pagina'?s?|diensten?|website",
        agreeing=r"(?:accepteert|aanvaardt|instemt|akkoord)|(?:ga|gaat|stemt?) (?:\w{1,20} ){0,2}"
        r"(?:akkoord|in|mee)|geeft (?:\w{1,20} ){0,2}toestemming",
        without=r"zonder (?:te accepteren|in te stemmen|akkoord|toestemming|cookies)",
    ),
}
"""A row for each language; sentences for every row stand in the tests."""


def _any_of(part: str) -> re.Pattern[str]:
    # Each beginning is tried once for each word, and each word in it is bounded: linear in a text.
    return re.compile(rf"\b(?:{'|'.join(getattr(row, part) for row in GOING_ON.values())})\b")


_SURELY: Final = _any_of("surely")
_PERHAPS: Final = _any_of("perhaps")
_HERE: Final = _any_of("here")
_AGREEING: Final = _any_of("agreeing")
_WITHOUT: Final = _any_of("without")

_PRAISE: Final = re.compile(
    r"\b(?:"
    r"(?:improv|enhanc|optimi[sz]|personali[sz])\w{0,20} (?:\w{1,20} ){0,3}experience"
    r"|(?:best|optimal|better|most relevant|smoothest) (?:possible )?(?:\w{1,20} )?experience"
    r"|(?:nutzer|nutzungs|surf|web|online)?(?:erlebnis|erfahrung)\w{0,20} (?:\w{1,20} ){0,3}"
    r"(?:verbesser|optimier)\w{0,20}"
    r"|(?:verbesser|optimier)ung \w{1,20} (?:\w{1,20} )?"
    r"(?:nutzer|nutzungs|surf|web|online)?(?:erlebniss?|erfahrung)\w{0,20}"
    r"|(?:optimal|bestmöglich|best)\w{0,20} (?:nutzer|nutzungs|surf|web|online)?"
    r"(?:erlebnis|erfahrung)\w{0,20}"
    r"|(?:améliorer|optimiser|personnaliser) (?:votre |l.)?expérience|meilleure expérience"
    r"|(?:mejorar|optimizar|personalizar) (?:su|tu|la) experiencia|mejor experiencia"
    r"|(?:migliorare|ottimizzare|personalizzare) (?:la )?(?:tua|vostra|sua) esperienza"
    r"|migliore? esperienza"
    r"|(?:gebruiks|gebruikers|surf)?ervaring (?:te )?(?:verbeter|optimaliser)\w{0,20}"
    r"|(?:best|beter)e? (?:mogelijke )?(?:gebruiks|gebruikers|surf)?ervaring"
    r")\b"
)
_CLOSING_YES: Final = re.compile(
    r"\b(?:"
    r"(?:accept|agree|allow|ok|okay|got it)(?: all)?(?:,| and|,? &| \+| -| \u2013) ?"
    r"(?:close|continue|proceed)"
    r"|(?:akzeptieren|zustimmen|annehmen|erlauben|ok|okay)(?:,| und|,? &| \+| -| \u2013) ?"
    r"(?:schlie(?:ß|ss)en|weiter|fortfahren)"
    r"|(?:tout )?(?:accepter|ok)(?:,| et|,? &| \+) ?(?:fermer|continuer)"
    r"|(?:aceptar|ok)(?: todo)?(?:,| y|,? &| \+) ?(?:cerrar|continuar|seguir)"
    r"|(?:accetta|accetto|ok)(?: tutto)?(?:,| e|,? &| \+) ?(?:chiudi|continua|prosegui)"
    r"|(?:accepteren|akkoord|ok)(?:,| en|,? &| \+) ?(?:sluiten|doorgaan|verder)"
    r")\b"
)

_UNSEEN: Final = re.compile("[\u00ad\u0307\u200b-\u200d\u2060\ufeff]")
"""What a reader does not see: soft hyphens, joiners, and the dot that lower-casing İ leaves."""
_END_OF_A_SENTENCE: Final = re.compile(r"[.!?…]+ ")


def misleading_words_in(text: str) -> Iterator[Misleading]:
    r"""What misleads in one text: the first of each of the three, in small letters.

    White space, letter case and what nobody sees make no difference. Linear in the text.

    >>> [found.words for found in misleading_words_in("By\u00a0 continuing you agree.")]
    ['by continuing']
    """
    plain = _folded(text)
    going_on = next(filter(None, map(_going_on, _END_OF_A_SENTENCE.split(plain))), None)
    if going_on:
        cure = "Ask, and say that nothing optional happens before the answer (R-07)."
        yield Misleading(going_on, "takes going on for an answer", cure)
    if praise := _PRAISE.search(plain):
        cure = "Say what is stored, and what for (R-07)."
        yield Misleading(praise[0], "praises instead of saying what happens", cure)
    if closing := _CLOSING_YES.search(plain):
        cure = "Write what the button does: 'Accept', or 'Allow analytics' (R-07)."
        yield Misleading(closing[0], "makes closing the notice a yes", cure)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).lower().replace("\u2019", "'")
    return " ".join(_UNSEEN.sub("", plain).split())


def _going_on(sentence: str) -> str | None:
    if _WITHOUT.search(sentence):
        return None
    surely, perhaps = _SURELY.search(sentence), _PERHAPS.search(sentence)
    agrees = bool((surely or perhaps) and _AGREEING.search(sentence))
    if surely and (surely.start() == 0 or agrees or _HERE.search(sentence)):
        return surely[0]
    return perhaps[0] if perhaps and agrees else None
