"""The demo: an invented data set with which a new installation can be looked at.

advertisers says who there is, delivery what their campaigns spent, and fill writes it and lets the real services
do the rest. `manage.py demo` calls it, on an empty database only.
"""
