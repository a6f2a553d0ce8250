"""A connector in one file: pauses and resumes campaigns on an ad platform as the budget manager decides.

Over HTTP, with Python's own library. It lists the campaigns once, follows the feed of changes, applies them and
acknowledges; what the platform refuses is reported and tried again:

    python examples/connector.py http --api https://budget.example.com/api/v1 --key bm_… --platform https://ads.example.com

By SQL (pip install psycopg), for connectors that reach the database. PostgreSQL wakes it when a status changes; without
that, as behind a pooler, it looks every ten seconds. links.json says {"17": ["google_ads", "1234567890", "987"]}:

    python examples/connector.py sql --database postgresql://… --links links.json --platform https://ads.example.com

Replace Platform by the API of your platform. Everything else can stay.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

log = logging.getLogger("connector")

# The platform, the account's ID and the campaign's ID there.
Link = tuple[str, str, str]

POLL_SECONDS = 10
# List again now and then: links may be new.
LIST_SECONDS = 3600
# Say what the platform shows, so that a campaign that somebody starts there is noticed.
LOOK_SECONDS = 600
MAX_ROWS = 10_000


class Platform:
    """The API of an ad platform; this one is PUT and GET /{account}/{campaign} with {"status": "paused"}."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")

    def set_status(self, link: Link, status: str) -> None:
        self._call("PUT", link, {"status": status})

    def status_of(self, link: Link) -> str:
        return str(self._call("GET", link)["status"])

    def _call(self, method: str, link: Link, body: Any = None) -> Any:
        _, account, campaign = link
        return call(method, f"{self.address}/{quote(account, '')}/{quote(campaign, '')}", body)


class Connector:
    """Follows the feed by HTTP. What it knows is kept in a file, so that a restart goes on where it was."""

    def __init__(self, api: str, key: str, platform: Platform, state: Path | None = None) -> None:
        self.api, self.key, self.platform, self.state = api.rstrip("/"), key, platform, state
        self.position: int | None = None
        self.links: dict[int, list[Link]] = {}
        # What is still to be applied, by link: the status and the position in the feed.
        self.waiting: dict[Link, tuple[str, int]] = {}
        self.listed_at = self.looked_at = 0.0

    def run(self) -> None:
        while True:
            try:
                self.turn()
            except (URLError, OSError) as problem:  # the next turn goes on
                log.warning("%s; trying again in %s s", problem, POLL_SECONDS)
            time.sleep(POLL_SECONDS)

    def turn(self) -> None:
        """Read all that is new, apply it, and acknowledge it."""
        self.restore()
        if self.position is None or time.time() - self.listed_at > LIST_SECONDS:
            self.list_all()
        self.follow()
        self.apply()
        if time.time() - self.looked_at > LOOK_SECONDS:
            self.look()

    def list_all(self) -> None:
        """Take over every campaign's status. The position was read first: what changes meanwhile comes again."""
        cursor: dict[str, Any] = {}
        links: dict[int, list[Link]] = {}
        waiting: dict[Link, tuple[str, int]] = {}
        while True:
            page = self.get("campaigns", **cursor)
            for campaign in page["campaigns"]:
                own = [(link["source"], link["account"], link["campaign"]) for link in campaign["links"]]
                if own:
                    links[campaign["id"]] = own
                    waiting |= dict.fromkeys(own, (campaign["status"], page["position"]))
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        self.links, self.waiting, self.position = links, waiting, page["position"]
        self.listed_at = time.time()
        self.save()

    def follow(self) -> None:
        while True:
            try:
                page = self.get("changes", after=self.position)
            except HTTPError as error:
                if error.code != 410:  # Gone: the position is too old, or the database was restored
                    raise
                self.list_all()
                continue
            for change in page["changes"]:
                # The status is the campaign's status now, so an old change never restarts what is paused again.
                for link in self.links.get(change["campaign"], ()):
                    self.waiting[link] = (change["status"], change["position"])
            self.position = page["position"]
            self.save()
            if not page["more"]:
                return

    def apply(self) -> None:
        """Apply what waits, and acknowledge each; what fails stays, with its problem reported."""
        rows = []
        for link, (status, position) in sorted(self.waiting.items()):
            row = self.row(link, status) | {"change": position}
            try:
                self.platform.set_status(link, status)
            except (URLError, OSError) as problem:
                rows.append(row | {"problem": str(problem)[:500]})
                continue
            rows.append(row | {"at": now()})
        self.report(rows)
        applied = {(row["source"], row["account"], row["campaign"]) for row in rows if "problem" not in row}
        self.waiting = {link: what for link, what in self.waiting.items() if link not in applied}
        self.save()

    def look(self) -> None:
        """Report what the platform shows."""
        links = [link for own in self.links.values() for link in own]
        self.report([self.row(link, self.platform.status_of(link)) for link in links])
        self.looked_at = time.time()

    def row(self, link: Link, status: str) -> dict[str, Any]:
        source, account, campaign = link
        return {"source": source, "account": account, "campaign": campaign, "status": status, "at": now()}

    def report(self, rows: list[dict[str, Any]]) -> None:
        for start in range(0, len(rows), MAX_ROWS):
            answer = call("POST", f"{self.api}/applied", rows[start : start + MAX_ROWS], self.key)
            for refused in answer["rows"]:
                log.warning(refused["detail"])

    def get(self, name: str, **parameters: Any) -> Any:
        return call("GET", f"{self.api}/{name}?{urlencode(parameters)}", key=self.key)

    def restore(self) -> None:
        if self.position is None and self.state and self.state.exists():
            saved = json.loads(self.state.read_text())
            self.position, self.listed_at = saved["position"], saved["listed_at"]
            self.links = {int(pk): [tuple(link) for link in own] for pk, own in saved["links"].items()}
            self.waiting = {tuple(link): tuple(what) for link, what in saved["waiting"]}

    def save(self) -> None:
        """Write the file in one step: a crash leaves the old one or the new one."""
        if self.state:
            waiting = list(self.waiting.items())
            saved = {"position": self.position, "listed_at": self.listed_at, "links": self.links, "waiting": waiting}
            new = self.state.with_suffix(".new")
            new.write_text(json.dumps(saved))
            new.replace(self.state)


def follow_by_sql(database: str, links: dict[int, Link], platform: Platform) -> Iterator[int]:
    """Apply the statuses of the table again and again, and yield how many each time.

    The table always has the latest statuses, so nothing is lost while the connection is. LISTEN only saves waiting.
    """
    import psycopg

    applied: dict[int, str] = {}
    while True:
        try:
            with psycopg.connect(database, autocommit=True) as connection:
                connection.execute("LISTEN budget_status")  # before the first look: nothing falls in between
                while True:
                    sql = "SELECT id, status FROM campaigns_campaign WHERE id = ANY(%s)"
                    found: dict[int, str] = dict(connection.execute(sql, [list(links)]).fetchall())
                    yield apply_by_sql(found, applied, links, platform)
                    for _ in connection.notifies(timeout=POLL_SECONDS, stop_after=1):
                        pass
        except psycopg.OperationalError as problem:
            log.warning("%s; trying again in %s s", problem, POLL_SECONDS)
            time.sleep(POLL_SECONDS)


def apply_by_sql(found: dict[int, str], applied: dict[int, str], links: dict[int, Link], platform: Platform) -> int:
    count = 0
    for campaign, status in found.items():
        if applied.get(campaign) != status:
            try:
                platform.set_status(links[campaign], status)
            except (URLError, OSError) as problem:  # again at the next look
                log.warning(problem)
                continue
            applied[campaign] = status
            count += 1
    return count


def call(method: str, address: str, body: Any = None, key: str = "") -> Any:
    """Send a request, and return the JSON of its answer, or None. Raises URLError, HTTPError among them."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(address, data, headers, method=method), timeout=30) as response:
        answer = response.read()
    return json.loads(answer) if answer else None


def now() -> str:
    return datetime.now(UTC).isoformat()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ways = parser.add_subparsers(dest="way", required=True)
    for name in ("http", "sql"):
        ways.add_parser(name).add_argument("--platform", required=True)
    http, sql = ways.choices["http"], ways.choices["sql"]
    http.add_argument("--api", required=True)
    http.add_argument("--key", required=True)
    http.add_argument("--state", type=Path, default=Path("connector.json"))
    sql.add_argument("--database", required=True)
    sql.add_argument("--links", type=Path, required=True)
    options = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(message)s")
    if options.way == "http":
        Connector(options.api, options.key, Platform(options.platform), options.state).run()
    else:
        links = {int(pk): tuple(link) for pk, link in json.loads(options.links.read_text()).items()}
        for _ in follow_by_sql(options.database, links, Platform(options.platform)):
            pass


if __name__ == "__main__":
    main()
