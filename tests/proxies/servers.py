"""Real caching proxies, nginx and Varnish, started on a free port in front of a real uvicorn.

Have never heard of consent. Both keep what RFC 9111 lets a shared cache keep, for all who ask: a
Cookie in the request stops neither, as it stops no CDN that is told to cache pages, and nginx is
told that a Set-Cookie stops it neither (§7.3). ``X-Cache`` says ``HIT`` where the app was not
asked.
"""

import http.client
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

HOST = "www.example.localhost"

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  fastcgi_temp_path {folder}/fastcgi;
  proxy_temp_path {folder}/proxy;
  scgi_temp_path {folder}/scgi;
  uwsgi_temp_path {folder}/uwsgi;
  proxy_cache_path {folder}/cache keys_zone=pages:1m;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{upstream};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_cache pages;
      proxy_cache_revalidate on;
      proxy_ignore_headers Set-Cookie;
      add_header X-Cache $upstream_cache_status always;
    }}
  }}
}}
"""

VARNISH = """
vcl 4.1;
backend app {{ .host = "127.0.0.1"; .port = "{upstream}"; }}
sub vcl_recv {{
  if (req.method == "GET" || req.method == "HEAD") {{ return (hash); }}
}}
sub vcl_deliver {{
  if (obj.hits > 0) {{ set resp.http.X-Cache = "HIT"; }} else {{ set resp.http.X-Cache = "MISS"; }}
}}
"""

PROGRAMS = {"nginx": "nginx", "varnish": "varnishd"}


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    @property
    def is_from_the_cache(self) -> bool:
        return self.header("x-cache") in {"HIT", "STALE", "UPDATING", "REVALIDATED"}


def ask(
    port: int,
    path: str,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    body: bytes | None = None,
) -> Answer:
    """Send one request just as it is given, and read the answer to its end."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, {"Host": HOST, **(headers or {})})
        response = connection.getresponse()
        received = tuple((name.lower(), value) for name, value in response.getheaders())
        return Answer(response.status, received, response.read())
    finally:
        connection.close()


def find(kind: str) -> str | None:
    """The path of a proxy's program; Debian keeps servers outside a user's PATH."""
    return shutil.which(PROGRAMS[kind], path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


class Proxy:
    """A proxy in front of what listens on port `upstream`, with an empty cache in `folder`."""

    def __init__(self, kind: str, upstream: int, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._log = folder / "log"
        self._command = self._prepare(kind, upstream, folder)

    def _prepare(self, kind: str, upstream: int, folder: Path) -> list[str]:
        program = find(kind)
        if program is None:
            raise FileNotFoundError(PROGRAMS[kind])
        template = NGINX if kind == "nginx" else VARNISH
        configuration = folder / "configuration"
        configuration.write_text(
            template.format(folder=folder, port=self.port, upstream=upstream), "utf-8"
        )
        if kind == "nginx":
            return [program, "-p", str(folder), "-c", str(configuration), "-e", str(self._log)]
        listens = ["-a", f"127.0.0.1:{self.port}", "-n", str(folder / "varnish")]
        keeps = ["-s", "malloc,16m", "-j", "none"]
        return [program, "-F", *listens, "-f", str(configuration), *keeps]

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        deadline = time.monotonic() + 60  # Varnish compiles its configuration
        while not self._listens():
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.__exit__()
                raise RuntimeError(self._log.read_text("utf-8", errors="replace"))
            time.sleep(0.05)
        return self

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
