from typing import Any

from django.db import migrations

from campaigns.services.naming.name_keys import fill_name_keys

SHOWN = 20


def fill(apps: Any, schema_editor: Any) -> None:
    twins = list(fill_name_keys())
    if not twins:
        return
    print(f"\n    {len(twins):,} names differ from another one only in how they are written:")  # noqa: T201
    for twin in twins[:SHOWN]:
        print(f"      {twin}")  # noqa: T201
    if len(twins) > SHOWN:
        print(f"      and {len(twins) - SHOWN:,} more: they are the rows whose name_key is NULL")  # noqa: T201
    print("    Nothing was changed: rename one of two, or turn it off. Files name each of them exactly.")  # noqa: T201


class Migration(migrations.Migration):
    """Give the names that are there their keys, in pieces, and name those that are the same."""

    atomic = False
    dependencies = (("campaigns", "0018_name_keys"),)
    operations = (migrations.RunPython(fill, migrations.RunPython.noop),)
