"""Who calls, in which role, for which bureau: tokens verified, roles, scope and certificates."""
