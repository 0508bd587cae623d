"""TEMPORARY: what pages.py and the gate will do, by regular expressions, for the tests of consent.js."""

import re
from html import escape
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consentkit import ConsentMiddleware, visitor_from_scope
from consentkit.notice.assets import asset, scripts_of, stylesheet
from consentkit.notice.banner import banner_markup, permission_only, state_of, State
from consentkit.notice.scripts import allowed_purposes, head_scripts, state_json
from consentkit.rules.policy import Policy

TAG = re.compile(r"<(script|img|iframe|link|video|source|object|embed|image|use|input|audio|track)\b([^>]*)>", re.I)
ATTR = re.compile(r"(\s)(src|srcset|href|poster|data|xlink:href|imagesrcset)=(\"[^\"]*\"|[^\s>]+)", re.I)
INLINE = re.compile(r"<script([^>]*)>([^<]*)</script>")
HOST = re.compile(r"//([\w.-]+)")


class ByHand:
    def __init__(self, app, policy: Policy, shared=False) -> None:
        self.app, self.policy, self.shared = app, policy, shared

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        start = None
        body = b""
        done = False

        async def keep(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
            else:
                body += message.get("body", b"")

        await self.app(scope, receive, keep)
        headers = dict(start["headers"])
        dest = dict(scope["headers"]).get(b"sec-fetch-dest")
        if b"text/html" in headers.get(b"content-type", b""):
            text = self.gate(body.decode(), scope)
            if dest == b"document":
                text = self.notice(text, scope, headers)
            body = text.encode()
        kept = [(n, v) for n, v in start["headers"] if n != b"content-length"]
        if b"text/html" in headers.get(b"content-type", b"") and not any(n == b"cache-control" for n, v in kept):
            kept.append((b"cache-control", b"private, no-cache"))
        kept.append((b"content-length", str(len(body)).encode()))
        await send({**start, "headers": kept})
        await send({"type": "http.response.body", "body": body})

    def gate(self, text: str, scope: Scope) -> str:
        standing = visitor_from_scope(scope).standing
        services = frozenset() if self.shared else standing.services
        purposes = allowed_purposes(self.policy, {} if self.shared else standing.purposes)

        def tag(found):
            name, attrs = found[1].lower(), found[2]
            marks = []

            def attr(one):
                host = HOST.search(one[3])
                if not host or name == "link" and 'rel="canonical"' in attrs:
                    return one[0]
                service = self.policy.service_of_host(host[1])
                if service in services or host[1].endswith(".localhost"):
                    return one[0]
                marks.append(service or "")
                return f"{one[1]}data-consentkit-{one[2]}={one[3]}"

            new = ATTR.sub(attr, attrs)
            if not marks:
                return found[0]
            mark = f' data-consentkit-service="{" ".join(dict.fromkeys(marks))}"'
            if name == "script":
                new = re.sub(r"\stype=", " data-consentkit-type=", new)
                mark = ' type="text/plain"' + mark
            if name == "iframe":
                new = re.sub(r"\ssrcdoc=", " data-consentkit-srcdoc=", new)
                doc = (
                    f'<form method=post action=/consent target=_top><input type=hidden name=choice value=allow>'
                    f'<button name=service value={marks[0]}>Load</button></form>'
                )
                mark += f' srcdoc="{escape(doc)}"'
            return f"<{found[1]}{mark}{new}>"

        def inline(found):
            for service, declared in self.policy.services.items():
                if service not in services and any(m in found[2] for m in declared.inline):
                    attrs = re.sub(r"\stype=", " data-consentkit-type=", found[1])
                    return f'<script type="text/plain" data-consentkit-service="{service}"{attrs}>{found[2]}</script>'
            if 'type="importmap"' in found[1]:
                hosts = HOST.findall(found[2])
                waits = [self.policy.service_of_host(h) for h in hosts]
                if any(w and w not in services for w in waits):
                    attrs = re.sub(r"\stype=", " data-consentkit-type=", found[1])
                    return f'<script type="text/plain" data-consentkit-service="{waits[0]}"{attrs}>{found[2]}</script>'
            return found[0]

        text = INLINE.sub(inline, text)
        text = TAG.sub(tag, text)
        return text

    def notice(self, text, scope, headers):
        v = visitor_from_scope(scope)
        st = v.standing
        p = self.policy
        nonce = re.search(rb"'nonce-([^']+)'", headers.get(b"content-security-policy", b""))
        nonce = nonce[1] if nonce else b""
        answers = {} if self.shared else st.purposes
        purposes = allowed_purposes(p, answers)
        told = state_json(p, purposes, () if self.shared else st.services, st.open_purposes if not self.shared else p.optional_purposes)
        asked, given = (p.optional_purposes, ()) if self.shared else (st.open_purposes, st.consent.given)
        state = State.ASK if self.shared else state_of(p, asked, given, st.honoured)
        m = banner_markup(p, "en", state, asked, path="/consent", stylesheet=f"/consent/assets/{stylesheet().name}",
            script=f"/consent/assets/{asset('consent.js').name}", told=told, is_shared=self.shared,
            only_asked=frozenset() if self.shared else permission_only(p, asked, st.purposes, given))
        heads = head_scripts(p, purposes, {n: f"/consent/assets/{asset(n).name}" for n in scripts_of(p)})
        back = scope["path"].encode() + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        text = text.replace("<head>", "<head>" + heads.fill(b"", nonce).decode(), 1)
        return re.sub(r"<body[^>]*>", lambda f: f[0] + m.fill(back, nonce).decode(), text, count=1)


def held(app, policy, *, shared=False, **options):
    return ConsentMiddleware(ByHand(app, policy, shared), policy=policy, secret_key="k" * 32, banner=False, **options)
