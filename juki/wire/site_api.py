"""The API of the site's server, as plain HTTP: what watches over it needs no Prefect.

Decides:    that every call shows the password and, where it changes something, the token against forged requests.
Leaves:     what is asked to `flows.serving`.
Invariants: nothing but the loopback address is ever called, and no proxy of the environment is between. What the
            server answers in an error is not kept: it may quote what it was sent.
Source:     ADR-0034.
"""

from __future__ import annotations

import base64
import http.client
import json
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from juki.errors import SourceError
from juki.reasons import Code

SITE_HEADER = "X-Juki-Site"
"""Carries the key of the site in requests of its own processes."""
_TIMEOUT_SECONDS = 30
_OK, _FORBIDDEN = 200, 403
_REFUSALS = 300
_REFUSED_FROM, _BROKEN_FROM = 400, 500
_UNLIKE_A_SERVER = (OSError, http.client.HTTPException, ValueError, RecursionError)
"""What comes of nobody there, and of somebody else there: words that are no answer of ours."""


@dataclass(slots=True)
class SiteApi:
    """The API at one port of this machine."""

    port: int
    credentials: str = field(repr=False)
    timeout_seconds: float = _TIMEOUT_SECONDS
    site_key: str = field(default="", repr=False)
    """Without it nothing can be said of what is executed (ADR-0034)."""
    _token: str = field(default="", repr=False)
    _client: str = field(default_factory=lambda: str(uuid.uuid4()), repr=False)

    def is_answering(self) -> bool:
        """Tell whether a server is there and lets us in."""
        try:
            return self._send("GET", "/admin/version", None)[0] == _OK
        except _UNLIKE_A_SERVER:
            return False

    def get(self, path: str) -> Any:
        """Ask.

        Raises: SourceError(SITE_SILENT) when nobody answers, or not as hoped; transient unless it was refused.
        """
        return self._answered("GET", path, None)

    def post(self, path: str, content: object = None) -> Any:
        """Tell, or ask with a filter; raises as `get` does."""
        return self._answered("POST", path, content if content is not None else {})

    def delete(self, path: str) -> None:
        """Remove; raises as `get` does."""
        self._answered("DELETE", path, None)

    def _answered(self, method: str, path: str, content: object) -> Any:
        try:
            status, body = self._send(method, path, content)
            if status == _FORBIDDEN and method != "GET":
                # The token's hour is over, or the server is another one by now.
                self._token = ""
                status, body = self._send(method, path, content)
            said = json.loads(body) if body and status < _REFUSALS else None
        except _UNLIKE_A_SERVER:
            status, said = 0, None
        if not 0 < status < _REFUSALS:
            is_refused = _REFUSED_FROM <= status < _BROKEN_FROM
            raise SourceError(Code.SITE_SILENT, f"{path.split('?')[0]} {status}", is_transient=not is_refused)
        return said

    def _send(self, method: str, path: str, content: object) -> tuple[int, bytes]:
        headers = self._let_in() | ({SITE_HEADER: self.site_key} if self.site_key else {})
        if method != "GET":
            headers |= {"Content-Type": "application/json", **self._against_forgery()}
        body = None if content is None else json.dumps(content)
        return self._exchange(method, path, body, headers)

    def _let_in(self) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(self.credentials.encode()).decode()}

    def _against_forgery(self) -> dict[str, str]:
        if not self._token:
            asked = f"/csrf-token?client={self._client}"
            _, body = self._exchange("GET", asked, None, self._let_in())
            said = json.loads(body) if body else {}
            self._token = str(said.get("token", "")) if isinstance(said, dict) else ""
        return {"Prefect-Csrf-Token": self._token, "Prefect-Csrf-Client": self._client}

    def _exchange(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout_seconds)
        try:
            connection.request(method, "/api" + quote(path, safe="/?=&-"), body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()
