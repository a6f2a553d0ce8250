"""manage.py spend_writer_role: the earlier name of connector_role."""

from campaigns.management.commands.connector_role import Command

__all__ = ["Command"]
