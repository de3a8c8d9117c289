"""What all tests share: hypothesis judges by results only, since shared cores make single examples slow at times."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile("shared-cores", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", parent=settings.get_profile("shared-cores"), max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "shared-cores"))
