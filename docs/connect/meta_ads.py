"""Reports what campaigns on Meta Ads have spent to the HTTP API, with Meta's own client. Run it every hour.

    pip install facebook-business
    META_ACCESS_TOKEN=… META_ACCOUNTS=act_1234567890,act_2345678901 \
        BUDGET_MANAGER_URL=https://budgets.example.com BUDGET_MANAGER_KEY=bm_… python meta_ads.py

Each run reads 35 days, because Meta restates 28. A campaign without a row on a day has spent nothing on it, so 0 is
reported; what is unchanged costs nothing. If Meta answers with no rows at all for an account, nothing is taken back.
"""

import json
import os
import urllib.request
from datetime import UTC, date, datetime, timedelta

from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession

DAYS = 35
BATCH = 5_000
CAMPAIGNS = ["ACTIVE", "PAUSED", "ARCHIVED", "DELETED", "IN_PROCESS", "WITH_ISSUES"]


def main() -> None:
    # Behind a proxy that speaks for Meta, its address.
    FacebookSession.GRAPH = os.environ.get("META_GRAPH_URL", FacebookSession.GRAPH)
    FacebookAdsApi.init(access_token=os.environ["META_ACCESS_TOKEN"], crash_log=False)
    for account in os.environ["META_ACCOUNTS"].split(","):
        rows = report(AdAccount(account.strip()), datetime.now(UTC))
        for start in range(0, len(rows), BATCH):
            send(rows[start : start + BATCH])
        print(f"{account}: {len(rows)} rows")


def report(account: AdAccount, now: datetime) -> list[dict[str, str]]:
    """Return the rows of an account: a total for each campaign and day, and up to when they are known."""
    facts = account.api_get(fields=["account_id", "name", "currency", "timezone_name"])
    days = [str(now.date() - timedelta(days=ago)) for ago in range(-1, DAYS)]
    spent = {
        (row["campaign_id"], row["date_start"]): row
        for row in account.get_insights(
            fields=["campaign_id", "campaign_name", "spend"],
            params={"level": "campaign", "time_increment": 1, "time_range": {"since": days[-1], "until": days[0]}},
        )
    }
    known = {"source": "meta_ads", "account": facts["account_id"]}
    if not spent:
        return []
    names = {row["campaign_id"]: row["campaign_name"] for row in spent.values()}
    for campaign in account.get_campaigns(fields=["id", "name"], params={"effective_status": CAMPAIGNS}):
        names.setdefault(campaign["id"], campaign["name"])
    first = min(date.fromisoformat(day) for _, day in spent)
    totals = [
        known
        | {
            "campaign": campaign,
            "name": name[:200],
            "day": day,
            "total": spent[campaign, day]["spend"] if (campaign, day) in spent else "0",
            "as_of": now.isoformat(),
        }
        for campaign, name in sorted(names.items())
        for day in days
        if date.fromisoformat(day) >= first and day <= str(now.date())
    ]
    about = known | {"name": facts["name"], "currency": facts["currency"], "timezone": facts["timezone_name"]}
    return [*totals, about | {"reported_until": now.isoformat()}]


def send(rows: list[dict[str, str]]) -> None:
    request = urllib.request.Request(
        f"{os.environ['BUDGET_MANAGER_URL']}/api/v1/totals",
        data=json.dumps(rows).encode(),
        headers={
            "Authorization": f"Bearer {os.environ['BUDGET_MANAGER_KEY']}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        answer = json.load(response)
    for row in answer["rows"]:
        print(f"refused: {row['detail']}")


if __name__ == "__main__":
    main()
