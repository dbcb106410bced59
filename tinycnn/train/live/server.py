"""Who may ask the live page for what: a small HTTP server on 127.0.0.1 that answers nobody without the token.

Nothing is read from the disk by a request's path, so no path can lead out of anywhere. Each answer closes its connection; a slow browser keeps
one thread of the server waiting and nobody else.
"""

from __future__ import annotations

import errno
import hmac
import http.server
import os
import secrets
import threading
from collections.abc import Callable
from typing import Any

from ...errors import TinycnnError, UsageError

ADDRESS = "127.0.0.1"
FIRST_PORT, PORTS_TRIED = 8765, 40
MOST_BODY = {"control": 16_384, "image": 16_000_000}  # bytes
MOST_DRAINED = 64_000_000  # bytes of a refused body that are read away, so that the browser hears the answer
PATIENCE = 20.0  # seconds for a request to arrive and an answer to leave
MOST_CONNECTIONS = 64

# An answer: status, content type, body, further headers.
Answer = tuple[int, str, bytes, dict[str, str]]


class Busy(TinycnnError, RuntimeError):
    """The training thread did not come by in time."""


class Handler(http.server.BaseHTTPRequestHandler):
    """One request."""

    server: LiveServer
    server_version, sys_version = "tinycnn", ""
    timeout = PATIENCE

    def do_GET(self) -> None:
        """The page, its state, a snapshot."""
        self._respond("GET")

    def do_POST(self) -> None:
        """A wish or a picture."""
        self._respond("POST")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the terminal belongs to the training."""

    def _respond(self, method: str) -> None:
        try:
            self._send(*self._answer(method))
        except (ConnectionError, TimeoutError):
            pass  # the tab has gone

    def _answer(self, method: str) -> Answer:
        refused = self._refusal(method)
        if refused is not None:
            self._drain()
            return refused
        name, _, query = self.path.split("/", 2)[2].partition("?") if self.path.count("/") > 1 else ("", "", "")
        respond = self.server.routes.get((method, name))
        if respond is None:
            self._drain()
            known = any(name == path for _, path in self.server.routes)
            return _sentence(405 if known else 404, f"{method} is not for this address" if known else "there is no such address on this page")
        try:
            return respond(self._body(name) if method == "POST" else query.encode())
        except _Refused as error:
            self._drain()
            return _sentence(error.status, str(error))
        except Busy as error:
            return _sentence(503, str(error))
        except TinycnnError as error:
            return _sentence(400, str(error))
        except MemoryError:
            return _sentence(503, "there is not enough memory for this; try a smaller picture")
        except Exception as error:  # the training must not hear of it, and the tab must
            return _sentence(500, f"this is a bug in tinycnn, please report it: {type(error).__name__}: {error}")

    def _refusal(self, method: str) -> Answer | None:
        """Why this request gets nothing: not this machine's name, no token, or sent by another site's page."""
        own = {f"{ADDRESS}:{self.server.server_port}", f"localhost:{self.server.server_port}"}
        if self.headers.get_all("Host", []) not in [[name] for name in own]:
            return _sentence(403, "this page is served under 127.0.0.1 only")
        given = self.path.split("?")[0].split("/")[1:2]
        # compare_digest takes the same time wherever the first wrong letter is.
        if not hmac.compare_digest((given[0] if given else "").encode("utf-8", "replace"), self.server.token.encode()):
            return _sentence(403, "the address lacks the token; open the one that the terminal shows")
        origin = self.headers.get("Origin")
        if method == "POST" and origin is not None and origin not in {f"http://{name}" for name in own}:
            return _sentence(403, "another site may not change this training")
        return None

    def _length(self) -> int:
        text = self.headers.get("Content-Length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else -1

    def _body(self, name: str) -> bytes:
        length, most = self._length(), MOST_BODY[name]
        if length < 0:
            raise _Refused(411, "the request does not say how long it is")
        if length > most:
            raise _Refused(413, f"{length:,} bytes are more than the {most:,} that are read here")
        body = self.rfile.read(length)
        if len(body) < length:
            raise _Refused(400, "the request is cut short")
        return body

    def _drain(self) -> None:
        left = self._length()
        if left > MOST_DRAINED:
            return
        while left > 0 and (piece := self.rfile.read(min(left, 65536))):
            left -= len(piece)

    def _send(self, status: int, kind: str, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        standing = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Connection": "close",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        for name, value in {**standing, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class _Refused(Exception):
    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def _sentence(status: int, text: str) -> Answer:
    return status, "text/plain; charset=utf-8", (text + "\n").encode(), {}


class LiveServer(http.server.ThreadingHTTPServer):
    """The listening socket, the token and the routes.

    Parameters
    ----------
    routes
        (method, name) to a function of the body (POST) or of the query (GET).
    port
        The one to listen on; None takes the first free one from 8765 up.

    Raises
    ------
    UsageError
        When the port is taken, with the next free one, or may not be used.
    """

    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # there it would let two programs listen on one port
    request_queue_size = 32

    def __init__(self, routes: dict[tuple[str, str], Callable[[bytes], Answer]], port: int | None = None) -> None:
        self.token = secrets.token_urlsafe(24)
        self.routes = routes
        self._room = threading.BoundedSemaphore(MOST_CONNECTIONS)
        if port is None:
            port = next_free_port(FIRST_PORT)
        elif isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65535:
            raise UsageError(f"port {port!r} must be a whole number from 0 (any free one) to 65535")
        try:
            super().__init__((ADDRESS, port), Handler)
        except OSError as error:
            raise UsageError(_why_not(port, error)) from error

    @property
    def url(self) -> str:
        """The address to open, with the token in it."""
        return f"http://{ADDRESS}:{self.server_port}/{self.token}/"

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread a request, as long as there are not too many."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and make room for the next."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A tab that went away in the middle is nothing to report."""


def next_free_port(first: int) -> int:
    """The first port from `first` up that nobody listens on; 0, for any, where there is none near."""
    for port in range(first, min(first + PORTS_TRIED, 65536)):
        try:
            with _Trial((ADDRESS, port), Handler):
                return port
        except OSError:
            continue
    return 0


class _Trial(http.server.HTTPServer):
    allow_reuse_address = os.name != "nt"


def _why_not(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        free = next_free_port(port + 1)
        return f"port {port} is in use by another program; " + (f"{free} is free: --port {free}" if free else "leave --port out for a free one")
    if error.errno == errno.EACCES:
        return f"port {port} is reserved for the system; take one from 1024 up, such as --port {FIRST_PORT}"
    return f"cannot listen on port {port}: {error.strerror or error}; leave --port out for a free one"
