"""How long audit entries are kept: days, at least half a year (网络安全法21(三), 等保三级)."""

LEAST_DAYS = 183
USUAL_DAYS = 365
