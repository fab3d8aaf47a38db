"""A synthetic year of cases (案件量): commands that add up to a year's published figures."""
