"""Every list of the admin, asked with every odd value under every name: none ends in a server error."""

from __future__ import annotations

from campaigns.tests.admin.test_admin_odd_requests import OWN, OddRequestsTestCase, filters
from campaigns.tests.support.pages import every_model
from campaigns.tests.torture.extent import extent

VALUES: tuple[str | bytes, ...] = (
    *(
        "",
        "abc",
        "\0",
        "a\0b",
        "-1",
        "0",
        "9" * 40,
        "1e400",
        "NaN",
        "∞",
        "٣",
        "1,2,abc",
        "true",
        "None",
        "🙂",
        "x" * 3000,
    ),
    *("99999-99-99", "0001-01-01", "9999-12-31", "2026-02-30", "' OR 1=1 --", "%", "\\", b"\xed\xa0\x80", b"\xff"),
)
NAMES = (*OWN, "_popup", "_to_field", "e", "nothing", "id", "id__in", "pk__gt", "id__regex", "brand__name__regex")
LOOKUPS = (
    "",
    "__exact",
    "__in",
    "__gte",
    "__lt",
    "__isnull",
    "__isempty",
    "__icontains",
    "__range",
    "__year",
    "__id__exact",
    "_from",
    "_to",
    "_0",
)


class OddRequests(OddRequestsTestCase):
    def test_lists(self) -> None:
        queries = [
            (model, name, value)
            for model in every_model()
            for name in (*NAMES, *filters(model, LOOKUPS))
            for value in VALUES
        ]
        self.ask_lists(queries[:: extent(short=101, full=1)])
