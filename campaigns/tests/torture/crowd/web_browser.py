"""A browser of a person at a real web server: cookies and tokens; it follows no redirects."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

TOKEN = "csrftoken"


@dataclass
class Answer:
    status_code: int
    content: bytes


class WebBrowser:
    """address is "host:port". Every post bears the token that the server gave for forms."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.cookies: SimpleCookie = SimpleCookie()

    def sign_in(self, name: str, password: str) -> None:
        url = reverse("admin:login")
        self.get(url)
        answer = self.post(url, {"username": name, "password": password})
        if answer.status_code != 302:
            raise AssertionError(f"{name} can't sign in: {answer.status_code}")

    def get(self, path: str, /) -> Answer:
        return self._ask("GET", path, None)

    def post(self, path: str, data: dict[str, Any], /) -> Answer:
        token = {"csrfmiddlewaretoken": self.cookies[TOKEN].value}
        return self._ask("POST", path, urlencode(data | token, doseq=True))

    def _ask(self, method: str, path: str, body: str | None) -> Answer:
        headers = {"Cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        server = http.client.HTTPConnection(self.address, timeout=60)
        try:
            server.request(method, path, body, headers)
            answer = server.getresponse()
            for cookie in answer.headers.get_all("Set-Cookie", []):
                self.cookies.load(cookie)
            return Answer(answer.status, answer.read())
        finally:
            server.close()
