"""The web server's log: gunicorn's own, or with LOG_FORMAT=json one line of JSON for each message and request."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from gunicorn import glogging
from gunicorn.config import Config

from budget_manager.observe.json_log import JsonFormatter, masked


class Logger(glogging.Logger):
    """Chosen by the Procfile's --logger-class."""

    is_json = False

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "budget_manager.settings")
        try:
            self.is_json = settings.LOG_FORMAT == "json"
        except ImproperlyConfigured:
            return  # the application says so when it is loaded
        if self.is_json:
            for handler in (*self.error_log.handlers, *self.access_log.handlers):
                handler.setFormatter(JsonFormatter())

    def access(self, resp: Any, req: Any, environ: MutableMapping[str, Any], request_time: timedelta) -> None:
        if not self.is_json:
            super().access(resp, req, environ, request_time)
        elif self.access_log_enabled:
            self._access_json(resp, environ, request_time)

    def _access_json(self, answer: Any, environ: Mapping[str, Any], duration: timedelta) -> None:
        """Log without the query, in which people search for names, and without the token of a link."""
        method, status = environ["REQUEST_METHOD"], str(answer.status).partition(" ")[0]
        path = masked(environ["RAW_URI"].partition("?")[0])
        http = {
            "method": method,
            "path": path,
            "status": int(status) if status.isdecimal() else status,
            "bytes": answer.sent,
            "seconds": round(duration.total_seconds(), 6),
            "client": environ.get("REMOTE_ADDR", "-"),
            "agent": environ.get("HTTP_USER_AGENT", "-"),
        }
        self.access_log.info("%s %s %s", method, path, status, extra={"http": http})
