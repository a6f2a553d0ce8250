"""`make bench`: what the work costs at size, measured beside baselines in the same run.

It makes its data in throw-away databases, measures part by part (see PARTS in benchmarks.command), and writes
docs/performance.md. `python -m benchmarks compare CHECKOUT` measures this checkout beside another one instead.
"""
