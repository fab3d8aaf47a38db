"""The small OIDC issuer of the embedded default: accounts, sign-in and access tokens.

A deployment that has Keycloak or the bureau's own 统一身份认证 points at that and leaves this out.
"""
