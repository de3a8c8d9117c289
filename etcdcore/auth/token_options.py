"""The setting `--auth-token`: `simple`, or `jwt,pub-key=FILE,priv-key=FILE,sign-method=RS256,ttl=10m`.

Source: etcd server/auth/options.go.
"""

from dataclasses import dataclass
from typing import Final

from etcdcore.config import ConfigError, parse_duration

SIGN_METHODS: Final = (
    *(family + size for family in ("RS", "PS", "ES", "HS") for size in ("256", "384", "512")),
    "EdDSA",
)
TTL_S_DEFAULT: Final = 300.0


class TokenOptionsError(ConfigError):
    """The setting cannot be used; the text says which part of it, and why."""


@dataclass(frozen=True, slots=True)
class TokenOptions:
    """`--auth-token` taken apart: "simple", or "jwt" with what belongs to it."""

    kind: str
    sign_method: str = ""
    public_key_path: str = ""
    private_key_path: str = ""
    ttl_s: float = TTL_S_DEFAULT


def parse_token_options(text: str) -> TokenOptions:
    """Raises TokenOptionsError. Unknown options of jwt are passed over, as etcd does (it warns)."""
    kind, *parts = text.split(",")
    options: dict[str, str] = {}
    for part in parts:
        name, equals, value = part.partition("=")
        if not equals or "=" in value or name in options:
            raise TokenOptionsError(f"auth token option {part!r} is not name=value, or comes twice")
        options[name] = value
    if kind == "simple":
        return TokenOptions(kind)
    if kind != "jwt":
        raise TokenOptionsError(f"auth token type must be simple or jwt, got {kind!r}")
    method = options.get("sign-method", "")
    if method not in SIGN_METHODS:
        raise TokenOptionsError(f"sign-method must be one of {', '.join(SIGN_METHODS)}, got {method!r}")
    try:
        ttl_s = parse_duration(options["ttl"]) if options.get("ttl") else TTL_S_DEFAULT
    except ConfigError as error:
        raise TokenOptionsError(f"auth token option ttl: {error}") from error
    return TokenOptions(kind, method, options.get("pub-key", ""), options.get("priv-key", ""), ttl_s)
