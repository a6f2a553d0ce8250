"""`make bench`: what the work costs at size, measured beside baselines in the same run.

It makes its data in throw-away databases, measures part by part (one file a part), and writes docs/performance.md. The
product is called through its services only.
"""
