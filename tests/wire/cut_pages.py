"""Pages put together from what HTML makes hard, whole and cut into chunks."""

import itertools

from hypothesis import strategies as st

FRAGMENTS = [
    "<!doctype html>", "<html>", "<HTML lang=a>", "<head>", "</head>", "<body>",
    "<BODY class='a>b'>", "</body>", "</html>", "<title>", "</title>", "<title>x</title>",
    "<style>", "</style>",
    "<script>", "</script>", "<script><!--<script>", "<!--", "-->", "--!>", "<!-->", "<!--->",
    "<!-- <body> -->", "<?x>", "<!x>", "</ x>", "</>", "<", "<![CDATA[", "]]>",
    "<meta charset=utf-8>", "<link>", "<bgsound>", "<template>", "</template>",
    "<template><div></template>", "<noscript>", "</noscript>", "<noscript><img></noscript>",
    "<noscript><p>a</p></noscript>", "<noscript><div></noscript>", "<frameset>", "<frame>",
    "<noframes>", "</noframes>", "<p>", "</p>", "<div>", "</br>", "<br>", "<input type=hidden>",
    "<svg>", "</svg>", "<svg a=b/>", "<svg/>", "<math>", "<mi>", "<desc>", "<font color=a>",
    "<annotation-xml encoding=text/html>", "<td>", "<table>", "<select>", "<textarea>",
    "<plaintext>", '<a b="', '">', "'", '<a b=">', "<a b = c>", '<a =">', "<div data-slot=a>",
    '<p DATA-SLOT="b">', "x", "&#32;", "&#x20", "&amp;", "&#9;", " ", "\n", "\0",
]  # fmt: skip
pages = st.lists(st.sampled_from(FRAGMENTS), max_size=9).map(lambda parts: "".join(parts).encode())


def cut(page: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({min(place, len(page)) for place in places} | {len(page)})
    return [page[a:b] for a, b in itertools.pairwise([0, *ends])]


@st.composite
def pages_in_chunks(draw: st.DrawFn) -> list[bytes]:
    page = draw(pages)
    every_byte = st.just(list(range(len(page))))
    return cut(page, draw(every_byte | st.lists(st.integers(0, len(page)), max_size=4)))
