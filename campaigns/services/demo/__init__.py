"""The demo: an invented data set with which a new installation can be looked at.

advertisers.py lists brands and campaigns, delivery.py invents their spend, fill.py writes both and runs the real
services, live.py goes on spending. `manage.py demo` calls them.
"""
