"""What every test stands on: a fixed drawing backend and hypothesis settings that repeat."""
from __future__ import annotations

import os

os.environ.setdefault("MPLBACKEND", "agg")
os.environ.setdefault("DYNOPT_PATIENCE", "2")                # two test processes share the machine with their provers

from hypothesis import HealthCheck, settings

# Examples are the same on every run and every machine; a slow machine is no failure.
settings.register_profile("dynopt", derandomize=True, deadline=None, max_examples=50,
                          suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", deadline=None, max_examples=2000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("soak" if os.environ.get("DYNOPT_SOAK") else "dynopt")
