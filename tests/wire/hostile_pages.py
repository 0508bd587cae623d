"""Pages made of awkward pieces, and two parsers that others wrote to judge what was done to them.

Run it for more pages than the suite does: python -m tests.wire.hostile_pages 100000
"""

import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

import html5lib
from selectolax.lexbor import LexborHTMLParser

from consentkit.testing.strategies import AWKWARD, fetches_from
from consentkit.wire.gate import Gate, Tag, Waits

EVIL = "evil.test"
OWN = "own.test"

LIVE = (*fetches_from(EVIL), f"<img src=https://{OWN}/a.png>")
MARK, SRCDOC = b"m", b"placeholder"
_INSERTED = re.compile(
    rb'(?: type="text/plain")? data-consentkit-service="m"(?: srcdoc="placeholder")?'
    rb"|data-consentkit-(?=[a-zA-Z])"
)


def hostile_page(rng: random.Random) -> bytes:
    """A page of a few pieces, at least one of them live where it stands alone."""
    pieces = [rng.choice(AWKWARD if rng.random() < 0.7 else LIVE) for _ in range(rng.randint(1, 9))]
    pieces.insert(rng.randint(0, len(pieces)), rng.choice(LIVE))
    return "".join(pieces).encode()


def judge(tag: Tag) -> Waits | None:
    return Waits(MARK, SRCDOC) if EVIL in tag.hosts else None


def gated(page: bytes, **options: Any) -> bytes:
    gate = Gate(judge, is_own=lambda host: host == OWN, **options)
    return gate.feed(page, last=True)


def without_insertions(page: bytes) -> bytes:
    return _INSERTED.sub(b"", page)


class Node(NamedTuple):
    """An element, a text or a comment in either parser's tree, with its depth."""

    depth: int
    name: str  # of an element, lower-case; "#text", "#comment"
    attributes: dict[str, str]
    text: str = ""


Parse = Callable[[bytes], Iterator[Node]]


def lexbor(page: bytes) -> Iterator[Node]:
    root = LexborHTMLParser(page.decode("utf-8", "replace")).root
    if root is not None:
        yield from _of_lexbor(root, 0)


def _of_lexbor(node: Any, depth: int) -> Iterator[Node]:
    if node.is_element_node:
        attributes = {name: value or "" for name, value in node.attributes.items()}
        yield Node(depth, node.tag.lower(), attributes)
    elif node.is_text_node or node.is_comment_node:
        name = "#text" if node.is_text_node else "#comment"
        text = node.text_content if node.is_text_node else node.comment_content
        yield Node(depth, name, {}, text or "")
    child = node.child
    while child is not None:
        yield from _of_lexbor(child, depth + 1)
        child = child.next


def _html5lib(page: bytes, *, scripting: bool) -> Iterator[Node]:
    parser = html5lib.HTMLParser(html5lib.getTreeBuilder("dom"))
    document = parser.parse(page.decode("utf-8", "replace"), scripting=scripting)
    yield from _of_dom(document, 0)


def _of_dom(node: Any, depth: int) -> Iterator[Node]:
    if node.nodeType == node.ELEMENT_NODE:
        attributes = {name.lower(): value for name, value in node.attributes.items()}
        yield Node(depth, node.tagName.lower(), attributes)
    elif node.nodeType in {node.TEXT_NODE, node.COMMENT_NODE}:
        yield Node(depth, "#text" if node.nodeType == node.TEXT_NODE else "#comment", {}, node.data)
    for child in node.childNodes:
        yield from _of_dom(child, depth + 1)


def html5lib_without_scripting(page: bytes) -> Iterator[Node]:
    return _html5lib(page, scripting=False)


def html5lib_with_scripting(page: bytes) -> Iterator[Node]:
    return _html5lib(page, scripting=True)


# --- What is live in a tree: written again, from the standard, so as not to repeat a mistake ------

_FETCHED = {
    "script": ("src",), "img": ("src", "srcset"), "image": ("href", "xlink:href"),
    "iframe": ("src", "srcdoc"), "frame": ("src",), "embed": ("src",), "object": ("data",),
    "link": ("href",), "video": ("src", "poster"), "audio": ("src",), "track": ("src",),
    "source": ("src", "srcset"), "input": ("src",), "use": ("href", "xlink:href"),
    "feimage": ("href", "xlink:href"), "body": ("background",), "table": ("background",),
    "td": ("background",),
}  # fmt: skip
_HOST = re.compile(r"(?:https?:[/\\]*|[/\\]{2,})(?:[^/\\?#]*@)?([^/\\?#:,\s]+)", re.IGNORECASE)


def _is_evil(value: str) -> bool:
    for one in re.split(r"[,\s]+", value) if "," in value or " " in value else [value]:
        found = _HOST.match(re.sub(r"[\t\n\r]", "", one.strip()))
        if found and unquote(found[1]).lower() == EVIL:
            return True
    return False


def live_fetches(nodes: Iterator[Node]) -> Iterator[str]:
    """Each attribute by which a tree fetches from the third party."""
    base = None
    for node in nodes:
        given = node.attributes
        if node.name == "base" and base is None and "href" in given:
            base = given["href"]
        if node.name == "script" and given.get("type", "").lower() not in {
            "", "module", "text/javascript",
        }:  # fmt: skip
            continue
        if node.name == "link" and not {"stylesheet", "preload", "preconnect"} & set(
            given.get("rel", "").lower().split()
        ):
            continue
        if node.name == "input" and given.get("type", "").lower() != "image":
            continue
        for name in _FETCHED.get(node.name, ()):
            value = given.get(name, "")
            if any(live_fetches(lexbor(value.encode()))) if name == "srcdoc" else _is_evil(value):
                yield f"<{node.name} {name}={value}>"


def author_tree(nodes: Iterator[Node]) -> list[Node]:
    """The tree without what was put in; a text that a parser cut in two is one."""
    tree: list[Node] = []
    for node in nodes:
        is_more_text = tree and node.name == "#text" and tree[-1][:2] == node[:2]
        text = tree.pop().text + node.text if is_more_text else node.text
        tree.append(node._replace(attributes=_author_attributes(node.attributes), text=text))
    return [node._replace(text=_author_text(node.text)) for node in tree]


def _author_attributes(given: dict[str, str]) -> dict[str, str]:
    kept = dict(given)
    if kept.pop("data-consentkit-service", None) == MARK.decode():
        if kept.get("type") == "text/plain":
            del kept["type"]
        if kept.get("srcdoc") == SRCDOC.decode():
            del kept["srcdoc"]
    # The first of two attributes counts, and one that waits may stand after its twin.
    waiting = {name for name in kept if name.startswith("data-consentkit-")}
    author = {name: kept[name] for name in kept.keys() - waiting}
    for name in waiting:
        author.setdefault(name.removeprefix("data-consentkit-"), kept[name])
    return {name: _author_text(value) for name, value in author.items()}


def _author_text(text: str) -> str:
    return without_insertions(text.encode()).decode()


# --- Faults ---------------------------------------------------------------------------------------

ORACLES: dict[str, Parse] = {
    "lexbor": lexbor,
    "html5lib": html5lib_without_scripting,
    "html5lib, scripting": html5lib_with_scripting,
}


def faults(page: bytes, out: bytes, oracles: tuple[str, ...]) -> Iterator[str]:
    """What is wrong with a gated page, in words."""
    if without_insertions(out) != page:
        yield "bytes: more than insertions"
    for name in oracles:
        parse = ORACLES[name]
        for live in live_fetches(parse(out)):
            yield f"{name}: live: {live}"
        before = author_tree(parse(page))
        if before != (after := author_tree(parse(out))):
            changes = [pair for pair in zip(before, after, strict=False) if pair[0] != pair[1]]
            yield f"{name}: tree: {changes[:1]}"


def main(count: int) -> None:
    rng = random.Random(count)  # noqa: S311 - no secret
    seen: Counter[str] = Counter()
    for number in range(count):
        page = hostile_page(rng)
        out = gated(page)
        oracles = tuple(ORACLES) if number % 7 == 0 else ("lexbor",)
        for fault in faults(page, out, oracles):
            kind = ": ".join(fault.split(": ")[:2])
            seen[kind] += 1
            if seen[kind] <= 5:
                print(f"{fault}\n  {page!r}\n  {out!r}")  # noqa: T201 - for whoever runs it
    print(count, "pages;", dict(seen) or "no fault")  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]))
