"""The tests. Hypothesis has no limits of time, because machines are slow or busy with something else."""

from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
