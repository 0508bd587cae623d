"""The JSON Schema of a policy file: an editor completes, explains and underlines by it.

It has never heard of a reader: it says which keys there are, what each may be, and which go
together. What several places must agree on (a purpose that is declared, names that overlap, texts
in every language) is beyond a schema, and `policy_file` finds it.

Draft 7, since that is what VS Code's YAML extension is built on and what every validator reads;
`errorMessage`, `patternErrorMessage`, `enumDescriptions` and `defaultSnippets` are the extension's
own words, which others pass over. What the schema refuses the reader refuses too, but for a few
spellings it puts up with and a schema had better not teach: ``yes`` for true, ``"3"`` for 3, a day
with a time. Keys' descriptions are the models' own.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, TypeAlias, get_args

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from consentkit.rules import catalogue
from consentkit.rules.integrations import (
    LONGEST_WAIT,
    REGION,
    GoogleConsentMode,
    GoogleSignals,
    Integrations,
    Matomo,
    MicrosoftClarity,
    MicrosoftUet,
)
from consentkit.rules.policy import (
    COUNTRIES,
    Banner,
    Basis,
    CookieAttributes,
    Csp,
    DeclaredCookie,
    Justification,
    Kind,
    Mode,
    PagesMode,
    Policy,
    Preset,
    Purpose,
    Service,
    Site,
    StoredItem,
    TakesEffect,
    TokenOptions,
    Undeclared,
    Where,
)
from consentkit.rules.problems import listed
from consentkit.rules.signals import Signal
from consentkit.rules.texts import TEXTS, Blanks

__all__ = ["policy_schema"]

Schema: TypeAlias = dict[str, Any]


def policy_schema() -> Schema:
    """The schema as plain data; `json.dumps` writes it to a file for an editor."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A consentkit policy",
        "description": "What a site stores in its visitors' browsers, and why.",
        **_model(Policy, _file_keys()),
        "allOf": [_whole_unless_extended()],
        "definitions": {
            "site": _model(Site),
            "purpose": _model(Purpose),
            "cookie": {**_model(DeclaredCookie), "allOf": [_complete("kind"), *_BY_KIND]},
            "attributes": {**_model(CookieAttributes), "allOf": [*_SECURE_ONLY]},
            "stored-item": {**_model(StoredItem), "allOf": [_complete("where"), _TAB_ALONE]},
            "service": _model(Service),
            "banner": _model(Banner),
            "token": _model(TokenOptions),
            "integrations": _model(Integrations),
            "google-consent-mode": _model(GoogleConsentMode),
            "google-signals": _model(GoogleSignals),
            "microsoft-clarity": _model(MicrosoftClarity),
            "microsoft-uet": _model(MicrosoftUet),
            "matomo": _model(Matomo),
            "texts": {
                "type": "object",
                "properties": {key: _ref(_text_of(blanks)) for key, blanks in TEXTS.items()},
                "additionalProperties": False,
            },
            **{_text_of(blanks): _filled(blanks) for blanks in TEXTS.values()},
        },
    }


# Words

_ABOUT: Final[Mapping[tuple[type[BaseModel], str], str]] = MappingProxyType(
    {
        (Policy, "ask_again_after"): "After how long a visitor is asked again: half a year or more "
        "after a refusal (R-19), 400 days at most.",
        (Policy, "purposes"): "What visitors answer to: each purpose by its name, in the order of "
        "the notice.",
        (Policy, "cookies"): "Every cookie the site admits: each by its name, which may be a "
        "pattern: `name-{placeholder}`, or `name*`.",
        (Policy, "storage"): "Every key of web storage that the site admits: each by its name, "
        "which may be a pattern.",
        (Policy, "services"): "The outside things in the site's pages. What the catalogue knows "
        "(maker, hosts, links) need not be said again.",
        (DeclaredCookie, "duration"): "How long it may live, 400 days at most. A session cookie "
        "has none; a poll's is a day where it says nothing.",
        (StoredItem, "duration"): "After how long the site deletes it; absent where nothing does.",
        (CookieAttributes, "secure"): "It travels over HTTPS alone.",
        (CookieAttributes, "http_only"): "No script can read it.",
        (CookieAttributes, "same_site"): "Whether it travels with requests from other sites.",
        (CookieAttributes, "partitioned"): "Each site that embeds you has its own (CHIPS).",
        (Banner, "title"): "The banner's heading.",
        (Banner, "body"): "What the banner says before the list of purposes.",
        (Banner, "accept"): "The button that grants every purpose.",
        (Banner, "reject"): "The button that refuses every purpose.",
        (TokenOptions, "same_site"): "The token's own SameSite.",
    }
)
"""Where a key's docstring speaks of Python, or there is none."""

_SAYS: Final[Mapping[type[StrEnum], Mapping[str, str]]] = MappingProxyType(
    {
        Kind: {
            Kind.SESSION: "Gone when the browser closes.",
            Kind.PERSISTENT: "Kept for its `duration`.",
            Kind.POLL_TIMEOUT: "Remembers one vote; its name has a placeholder for the poll.",
            Kind.ANALYTICS: "Counts or recognises visitors; kept for its `duration`.",
        },
        Basis: {
            Basis.STRICTLY_NECESSARY: "The visitor came for what needs it, and is not asked.",
            Basis.CONSENT: "Only after the visitor has said yes.",
            Basis.IMPLIED: "Once the visitor has seen the notice and goes on.",
            Basis.OPT_OUT: "Until the visitor says no.",
        },
        Mode: {
            Mode.EXPLICIT: "The visitor is asked, and nothing optional happens before a yes.",
            Mode.IMPLIED: "The visitor has seen the notice and goes on. No regulator of the EU, "
            "the EEA or the UK accepts it.",
            Mode.OPT_OUT: "It happens until the visitor says no.",
        },
        Undeclared: {
            Undeclared.REPORT: "It is logged, and goes through.",
            Undeclared.BLOCK: "It is not set; the app still reads one that is there.",
            Undeclared.HIDE: "It is not set, and the app does not see one that is there.",
        },
        Csp: {
            Csp.OFF: "No Content-Security-Policy of ours, and the site's own as it is.",
            Csp.REPORT: "Browsers report what it would stop, and load it.",
            Csp.ENFORCE: "Browsers load nothing of a service that is not allowed.",
        },
        PagesMode: {
            PagesMode.PRIVATE: "Each visitor gets a page that fits their answers.",
            PagesMode.SHARED: "All visitors get one page, so that a cache can keep it; a script "
            "asks for the answers.",
        },
        TakesEffect: {
            TakesEffect.NEXT_PAGE: "From the page after the one that showed the notice.",
            TakesEffect.AT_ONCE: "From the first page, before the visitor could say no.",
        },
        Where: {
            Where.LOCAL: "localStorage.",
            Where.SESSION: "sessionStorage: gone when the tab closes.",
            Where.INDEXED_DB: "A database of IndexedDB, by its name.",
        },
        Preset: {
            Preset.EU: "The EU's rules, as the EDPB reads them.",
            Preset.DE: "Germany.",
            Preset.ES: "Spain.",
            Preset.FR: "France.",
            Preset.IT: "Italy.",
            Preset.NL: "The Netherlands.",
            Preset.UK: "The United Kingdom.",
            Preset.US_CA: "California: GPC is an opt-out that wins over every grant.",
            Preset.US_UOOM: "States of the US that recognise universal opt-out signals.",
            Preset.US_FEDERAL: "Federal agencies of the US.",
            Preset.US_LOCALGOV: "Counties and cities of the US.",
            Preset.US_MN_GOV: "Agencies of Minnesota.",
            Preset.US_OTHER: "States of the US without a law of their own on this.",
        },
        Justification: {
            Justification.USER_INPUT: "Keeps what the visitor typed or chose until they are done.",
            Justification.AUTHENTICATION: "Keeps the visitor logged in.",
            Justification.SECURITY: "Protects the visitor's log-in or forms from abuse.",
            Justification.LOAD_BALANCING: "Sends a visit's requests to one server.",
            Justification.MEDIA_PLAYBACK: "Plays the sound or film that the visitor started.",
            Justification.INTERFACE_CHOICE: "Remembers a language or view that the visitor chose.",
            Justification.CONSENT_RECORD: "Remembers what the visitor answered.",
        },
        Signal: {
            Signal.GPC: "Global Privacy Control.",
            Signal.DNT: "Do Not Track.",
        },
    }
)
"""Each word of the closed sets, in a sentence for whoever chooses one."""


# Shapes of values

_NOT_CONTROL: Final = r"\u0000-\u0008\u000b-\u001f\u007f-\u009f"
_LABEL: Final = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST: Final = rf"{_LABEL}(?:\.{_LABEL})*"
_LANGUAGE: Final = "^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$"
_PIECE: Final = r"[^{}*]|\{[A-Za-z_][A-Za-z0-9_-]*\}(?![{*])"
_ITEM_NAME: Final = rf"^(?!(?:\{{[^}}]*\}}|\*)*$)(?:{_PIECE})+\*?$"
_COOKIE_NAME: Final = rf"^(?=[^\s\u0000-\u0020\u007f=;,]{{1,256}}$){_ITEM_NAME[1:]}"
_NAME_CURE: Final = (
    "Write an exact name, 'name-{placeholder}', or 'name*'; a bare '*' would cover every name."
)


def _matching(pattern: str, cure: str, **more: object) -> Schema:
    return {"type": "string", "pattern": pattern, "patternErrorMessage": cure, **more}


_TEXT: Final = _matching(
    rf"^(?=[^]*\S)[^{_NOT_CONTROL}]*$".replace("[^]", r"[\s\S]"),
    "Write what a visitor is to read, or take the key away.",
)
_TAG: Final = _matching(_LANGUAGE, "Write a language tag such as 'en', 'nb' or 'pt-BR'.")
_BY_LANGUAGE: Final[Schema] = {
    "propertyNames": {"pattern": _LANGUAGE, "patternErrorMessage": _TAG["patternErrorMessage"]},
    "additionalProperties": _TEXT,
}
_WORDS: Final[Schema] = {**_TEXT, **_BY_LANGUAGE, "type": ["string", "object"]}
_ANY_TEXT: Final[Schema] = {"type": "string"}


def _filled(blanks: Blanks) -> Schema:
    """A text with what is filled into it, and no other brace."""
    names = sorted(blanks.allowed)
    has_all = "".join(rf"(?=[\s\S]*\{{{name}\}})" for name in sorted(blanks.needed))
    none = rf"[^{{}}{_NOT_CONTROL}]"
    either = rf"(?:{none}|\{{(?:{'|'.join(names)})\}})" if names else none
    filled = listed(f"{{{name}}}" for name in names) if names else ""
    cure = f"Write a text with {filled} in it, and no other brace."
    return {
        "description": f"Filled in: {filled}." if names else "Nothing is filled in.",
        **_matching(
            rf"^(?=[\s\S]*\S){has_all}{either}*$",
            cure if names else "Write a text without braces: nothing is filled in.",
        ),
    }


def _text_of(blanks: Blanks) -> str:
    """The name of the definition for the texts into which the same is filled."""
    may = sorted(blanks.allowed - blanks.needed)
    return "-".join(["text", *sorted(blanks.needed), *(f"perhaps-{name}" for name in may)])


_UNITS_CURE: Final = "Write a number and a unit: 30 minutes, 1 day, 2 weeks, 13 months, 1 year."
_DURATION: Final = _matching(
    r"^\s*(?!0+ *[a-z])(?:[0-9]{1,6}|[0-9]{7,12}(?= *s)) *"
    r"(?:second|minute|hour|day|week|month|year)s?\s*$",
    _UNITS_CURE,
    errorMessage=_UNITS_CURE,
    examples=["30 minutes", "1 day", "6 months", "13 months"],
)
_LINK: Final = _matching(
    r"^(?:https?://|mailto:|/)[^\s<>\"\u0000-\u001f\u007f]*$",
    "Write 'https://…', or a path of this site that begins with '/'.",
)
_DOMAIN: Final = _matching(
    f"^(?=.{{1,253}}$){_HOST}$",
    "Write a host name such as 'example.org': no scheme, no port, no path, no leading dot.",
)
_PURPOSE: Final = _matching(
    "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
    "Use letters, digits, '-', '_' and '.', at most 64; the title may say anything.",
)
_SWITCH: Final[Schema] = {"type": "boolean"}
_REVISION: Final[Schema] = {"type": "integer", "minimum": 1, "default": 1}


def _list_of(items: Schema, **more: object) -> Schema:
    return {"type": "array", "items": items, **more}


def _one_of(words: type[StrEnum]) -> Schema:
    return {
        "type": "string",
        "enum": [str(word) for word in words],
        "enumDescriptions": [_SAYS[words][word] for word in words],
    }


def _one_or_several(shape: Schema, **more: object) -> Schema:
    return {"anyOf": [shape, _list_of(shape, **more)]}


def _entries(definition: str, name: Schema) -> Schema:
    return {
        "type": "object",
        "propertyNames": {key: name[key] for key in ("pattern", "patternErrorMessage")},
        "additionalProperties": {"$ref": f"#/definitions/{definition}"},
    }


def _ref(definition: str) -> Schema:
    return {"$ref": f"#/definitions/{definition}"}


def _held(definition: str) -> Schema:
    """A reference that may have words of its own beside it; next to `$ref` they are passed over."""
    return {"type": "object", "allOf": [_ref(definition)]}


_PATH: Final = _matching(
    r"^/[^;\u0000-\u001f\u007f]*$", "A path begins with '/' and has no ';' in it."
)
_PLACEHOLDERS: Final = _list_of(
    _matching(r"^(?:/|\*$)", "Write paths that begin with '/', or ['*'] alone for every page."),
    examples=[["*"]],
)
_CHILDREN: Final = _list_of(
    _matching(
        r"^(?![\s\S]*(?:[?;#*\\\s\u0000-\u001f\u007f]|%[0-9A-Fa-f]{2}|/\.+(?:/|$)))/",
        "Write it as '/kids', all below it meant: no '?', ';', '#', '*', '..' or '%20'.",
    ),
    examples=[["/kids"]],
)
_COUNTRY: Final[Schema] = {"type": "string", "enum": sorted(COUNTRIES)}
_TRANSFER: Final[Schema] = {
    "anyOf": [{**_WORDS, "type": [*_WORDS["type"], "null"]}, _list_of(_COUNTRY, minItems=1)]
}
_SHAPES: Final[Mapping[str, Schema]] = MappingProxyType(
    {
        "site": _held("site"),
        "mode": _one_of(Mode),
        "preset": _one_or_several(_one_of(Preset)),
        "takes_effect": _one_of(TakesEffect),
        "revision": _REVISION,
        "ask_again_after": _DURATION,
        "languages": _list_of(_TAG, minItems=1, uniqueItems=True),
        "purposes": {**_entries("purpose", _PURPOSE), "minProperties": 1},
        "cookies": _entries("cookie", _matching(_COOKIE_NAME, _NAME_CURE)),
        "storage": _entries("stored-item", _matching(_ITEM_NAME, _NAME_CURE)),
        "undeclared": _one_of(Undeclared),
        "csp": _one_of(Csp),
        "pages": _one_of(PagesMode),
        "guard": _SWITCH,
        "integrations": _held("integrations"),
        "placeholders": _PLACEHOLDERS,
        "child_directed": _CHILDREN,
        "texts": {
            "type": "object",
            "propertyNames": _BY_LANGUAGE["propertyNames"],
            "additionalProperties": _ref("texts"),
        },
        "templates": _matching(r"\S", "Write the path of a folder; it counts from this file's."),
        "banner": _held("banner"),
        "token": _held("token"),
        "controller": _TEXT,
        "contact": _ANY_TEXT,
        "updated": _matching("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "Write it as 2015-06-01."),
        "policy": _LINK,
        "title": _WORDS,
        "description": _WORDS,
        "basis": _one_of(Basis),
        "justification": _one_of(Justification),
        "honours": _list_of(_one_of(Signal)),
        "since": _REVISION,
        "kind": _one_of(Kind),
        "where": _one_of(Where),
        "purpose": _one_or_several(_PURPOSE, minItems=1),
        "duration": _DURATION,
        "service": _ANY_TEXT,
        "more": _LINK,
        "path": _PATH,
        "domain": _DOMAIN,
        "recipients": _WORDS,
        "transfer": _TRANSFER,
        "attributes": _held("attributes"),
        "chunked": _SWITCH,
        "renew": _SWITCH,
        "provider": _TEXT,
        "hosts": _list_of(
            _matching(
                rf"^(?:\*\.)?(?=.{{1,253}}$){_HOST}$",
                "Write 'example.org', or '*.example.org' for all below it: no scheme, no path.",
            )
        ),
        "inline": _list_of(
            _matching("^(?=[ -~]{3,200}$)[^ ].*[^ ]$", "Write 3 characters or more of plain ASCII.")
        ),
        "privacy": _LINK,
        "opt_out": _LINK,
        "secure": _SWITCH,
        "http_only": _SWITCH,
        "partitioned": _SWITCH,
        "body": _WORDS,
        "accept": _WORDS,
        "reject": _WORDS,
        **{name: _held(name.replace("_", "-")) for name in Integrations.model_fields},
        **dict.fromkeys(GoogleSignals.model_fields, _one_or_several(_PURPOSE)),
        "signals": {**_held("google-signals"), "minProperties": 1},
        "wait_for_update": {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT},
        "region": _list_of(
            _matching(f"^{REGION}$", "Write a code of ISO 3166-2 such as DE or US-CA."),
            uniqueItems=True,
        ),
        "ads_data_redaction": _SWITCH,
        "url_passthrough": _SWITCH,
    }
)
"""What a key's value may be; a key means the same wherever it stands."""


# Models


def _model(model: type[BaseModel], more: Schema | None = None) -> Schema:
    """An object with the keys of a model, and `more` keys before them; none is required yet."""
    keys = {
        str(info.alias): _key(model, name)
        for name, info in model.model_fields.items()
        if not info.exclude
    }
    return {"type": "object", "properties": (more or {}) | keys, "additionalProperties": False}


def _key(model: type[BaseModel], name: str) -> Schema:
    info = model.model_fields[name]
    shape = _shape(model, name)
    about = _ABOUT.get((model, name)) or info.description or ""
    about = f"{about}{_where_absent(name, info.default)}"
    said = {"description": about.replace("``", "`").replace("\n", " ")}
    snippet = _snippet(_SNIPPETS[name]) if name in _SNIPPETS else {}
    nullable = _nullable(shape) if info.default is None and "type" in shape else shape
    return {**said, **nullable, **snippet}


def _where_absent(name: str, default: object) -> str:
    """The default, said in the description: as a keyword an editor would write it out each time."""
    if name == "ask_again_after":
        return " Where absent: 6 months, or as long as the presets ask."
    if default in (PydanticUndefined, None, ()) or isinstance(default, BaseModel | dict):
        return ""
    if isinstance(default, tuple | frozenset):
        return f" Where absent: `[{', '.join(default)}]`."
    return f" Where absent: `{str(default).lower()}`."


def _snippet(body: Schema) -> Schema:
    return {"defaultSnippets": [{"label": "what it needs", "body": body}]}


_SNIPPETS: Final[Mapping[str, Schema]] = MappingProxyType(
    {
        "site": {"name": "$1", "controller": "$2"},
        "purposes": {"${1:analytics}": {"title": "$2", "description": "$3"}},
        "cookies": {"${1:name}": {"kind": "$2", "purpose": "$3", "description": "$4"}},
        "storage": {"${1:key}": {"where": "$2", "purpose": "$3", "description": "$4"}},
    }
)
"""What an editor writes below a key when it is chosen."""


def _shape(model: type[BaseModel], name: str) -> Schema:
    if name == "services":
        return _services()
    if name == "name":
        return _TEXT if model is Site else _TOKEN_NAME
    if name in _SHAPES:
        return _SHAPES[name]
    annotation = model.model_fields[name].annotation  # a Literal, or one or nothing
    words = [word for each in (annotation, *get_args(annotation)) for word in get_args(each)]
    return {"type": "string", "enum": [word for word in words if isinstance(word, str)]}


_TOKEN_NAME: Final = _matching(
    "^[A-Za-z0-9_-]{1,64}$", "Use letters, digits, '-' and '_', at most 64."
)


def _nullable(shape: Schema) -> Schema:
    """`shape` or nothing: ``contact:`` is a line that somebody has yet to fill in."""
    kinds = shape["type"] if isinstance(shape["type"], list) else [shape["type"]]
    nullable = {**shape, "type": [*kinds, "null"]}
    if "enum" in shape:
        nullable["enum"] = [*shape["enum"], None]
    if "enumDescriptions" in shape:
        nullable["enumDescriptions"] = [*shape["enumDescriptions"], "As if it were not there."]
    return nullable


# The catalogue


def _file_keys() -> Schema:
    known = catalogue.frameworks().values()
    framework = {
        "type": "string",
        "enum": [each.key for each in known],
        "enumDescriptions": [f"The cookies that {each.title} sets by itself." for each in known],
    }
    return {
        "extends": {
            "type": "string",
            "pattern": r"\S",
            "description": "Another policy file that this one is laid upon; its path counts from "
            "this file's folder.",
        },
        "uses": {
            "description": "Frameworks whose own cookies the catalogue declares for you.",
            **_one_or_several(framework),
        },
    }


def _services() -> Schema:
    """Services by any name; those of the catalogue are offered, each with what it is."""
    known = {
        key: {
            "description": f"{each.title}, by {each.provider}; purpose suggested: {each.purpose}.",
            **_held("service"),
            **_snippet({"purpose": "$1"}),
        }
        for key, each in catalogue.services().items()
    }
    return {**_entries("service", _PURPOSE), "properties": known}


# Which keys go together


def _required(model: type[BaseModel]) -> Schema:
    fields = model.model_fields.values()
    return {"required": [str(info.alias) for info in fields if info.is_required()]}


def _complete(sign: str) -> Schema:
    """An entry that says what it is stands alone, whatever it is laid upon."""
    model = DeclaredCookie if sign == "kind" else StoredItem
    return {"if": {"required": [sign]}, "then": _required(model)}


def _whole_unless_extended() -> Schema:
    """What must be there: in a file that extends none, and in no other."""
    service = _required(Service)
    known = {"required": ["purpose"], "doNotSuggest": True}
    own = dict.fromkeys(catalogue.services(), known)
    return {
        "if": {"required": ["extends"]},
        "then": {},
        "else": {
            **_required(Policy),
            "properties": _quietly(
                site=_required(Site),
                purposes={"additionalProperties": _required(Purpose)},
                cookies={"allOf": [*_BY_NAME]},
                storage={"additionalProperties": _required(StoredItem)},
                services={"properties": own, "additionalProperties": service},
                integrations={"properties": _quietly(**_whole_integrations())},
            ),
            **_beneath_frameworks(),
        },
    }


def _whole_integrations() -> Schema:
    models: dict[str, type[BaseModel]] = {
        "google-consent-mode": GoogleConsentMode,
        "microsoft-uet": MicrosoftUet,
        "matomo": Matomo,
    }
    return {key: _required(model) for key, model in models.items()}


def _beneath_frameworks() -> Schema:
    """A cookie that a framework declares may say a part of it alone."""
    whole = _required(DeclaredCookie)
    frameworks = catalogue.frameworks().values()
    names = {name: {"doNotSuggest": True} for each in frameworks for name in each.cookies}
    partly = {"properties": names, "additionalProperties": whole}
    return {
        "if": {"required": ["uses"]},
        "then": {"properties": _quietly(cookies=partly)},
        "else": {"properties": _quietly(cookies={"additionalProperties": whole})},
    }


def _quietly(**rules: Schema) -> Schema:
    """Rules for keys that are offered elsewhere already."""
    return {key: {**rule, "doNotSuggest": True} for key, rule in rules.items()}


def _where(key: str, *values: object) -> Schema:
    return {"required": [key], "properties": _quietly(**{key: {"enum": [*values]}})}


def _named(pattern: str, rule: Schema) -> Schema:
    return {"patternProperties": {pattern: rule}}


def _only(key: str, message: str, **must: object) -> Schema:
    return {"properties": _quietly(**{key: {**must, "errorMessage": message}})}


def _needed(key: str, message: str, **must: object) -> Schema:
    return {"required": [key], "errorMessage": message, **_only(key, message, **must)}


_TAB_ALONE: Final[Schema] = {
    "if": _where("where", "session"),
    "then": _only(
        "duration",
        "sessionStorage ends with the tab. Take the duration away, or write 'where: local'.",
        type="null",
    ),
}
_BY_KIND: Final = (
    {
        "if": _where("kind", "session"),
        "then": _only(
            "duration",
            "A session cookie has no duration. Take it away, or write 'kind: persistent'.",
            type="null",
        ),
    },
    {
        "if": _where("kind", "persistent", "analytics"),
        "then": _needed(
            "duration",
            "What is kept has a duration, as in 'duration: 13 months'; or write 'kind: session'.",
            type=["string", "number", "boolean", "array", "object"],
        ),
    },
)
_NEEDS_SECURE: Final = _needed("secure", "Browsers refuse it without 'secure: true'.", const=True)
_SECURE_ONLY: Final = (
    {"if": _where("same-site", "none"), "then": _NEEDS_SECURE},
    {
        "if": {"required": ["partitioned"], "properties": _quietly(partitioned={"const": True})},
        "then": _NEEDS_SECURE,
    },
)
_NEEDS_HTTP_ONLY: Final = _needed(
    "http-only", "Browsers refuse this name without 'http-only: true'.", const=True
)
_ON_HOST: Final[Schema] = {
    "allOf": [
        _only("path", "Browsers refuse a name with __Host- unless its path is '/'.", const="/"),
        _only("domain", "Browsers refuse a name with __Host- that has a domain.", type="null"),
    ]
}


def _with_attributes(rule: Schema) -> Schema:
    return {
        "required": ["attributes"],
        "errorMessage": f"{rule['errorMessage']} It is one of the 'attributes'.",
        "properties": _quietly(attributes=rule),
    }


_BY_NAME: Final = (
    _named(
        r"^[^{*]*$",
        {
            "if": _where("kind", "poll-timeout"),
            "then": _only(
                "kind",
                "A poll's cookie needs a place for the poll in its name: 'name-{pollid}'.",
                enum=[str(kind) for kind in Kind if kind is not Kind.POLL_TIMEOUT],
            ),
        },
    ),
    _named(
        r"[{*]",
        _only(
            "chunked",
            "A pattern is not chunked: take it away and end the name with '*'.",
            const=False,
        ),
    ),
    _named(
        "^__(?:[Hh][Oo][Ss][Tt]-|[Hh][Tt][Tt][Pp]-|[Ss][Ee][Cc][Uu][Rr][Ee]-)",
        _with_attributes(_NEEDS_SECURE),
    ),
    _named("^__[Hh][Oo][Ss][Tt]-", _ON_HOST),
    _named("^__(?:[Hh][Oo][Ss][Tt]-)?[Hh][Tt][Tt][Pp]-", _with_attributes(_NEEDS_HTTP_ONLY)),
)
"""What a cookie's name asks of its declaration (RFC 6265bis §4.1.3; R-80)."""
