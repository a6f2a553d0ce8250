"""What `make run` starts: a broker if there is none, and processes that end with it."""
