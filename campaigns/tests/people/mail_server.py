"""A small mail server on this machine: SMTP over a socket, as far as sending an e-mail needs it (RFC 5321)."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
import time
from email.message import EmailMessage
from types import TracebackType
from typing import Self

from django.test import override_settings


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.server.reached("greeting")
        self._answer("220 localhost ready")
        recipients: list[str] = []
        while line := self.rfile.readline():
            command = line.decode().strip()
            verb = command[:4].upper()
            if verb == "RCPT":
                recipients.append(command)
                time.sleep(self.server.delay)
                self._answer("550 unknown mailbox" if self.server.refuses else "250 OK")
            elif verb == "DATA":
                self._answer("354 go on")
                self.server.messages.append(self._read_message())
                self.server.reached("message")
                self._answer("250 OK")
            elif verb == "QUIT":
                self._answer("221 bye")
                return
            else:  # EHLO, MAIL, RSET
                self._answer("250 OK")

    def _read_message(self) -> EmailMessage:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return email.message_from_bytes(b"".join(lines), policy=email.policy.default)

    def _answer(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class MailServer(socketserver.ThreadingTCPServer):
    """Takes e-mails while the context is open, and has Django send them there; delay is in seconds."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, *, delay: float = 0, refuses: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.delay, self.refuses = delay, refuses
        self.messages: list[EmailMessage] = []

    def reached(self, step: str) -> None:
        """Tests override this to hold a session before the greeting, or before a message is acknowledged."""

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        self._settings = override_settings(
            EMAIL_IS_SET_UP=True,
            EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
            EMAIL_HOST="127.0.0.1",
            EMAIL_PORT=self.server_address[1],
            DEFAULT_FROM_EMAIL="Budget manager <budget@example.com>",
        )
        self._settings.enable()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._settings.disable()
        self.shutdown()
        self.server_close()
