"""What an auth packet proves, and how whoAmI tells it.

Nothing is verified here: a digest id is whatever user and password hash to, and it is the ACLs that know whether that
is anybody. Source: ZooKeeper DigestAuthenticationProvider, IPAuthenticationProvider; reference 5.4, 2.2 (whoAmI).
"""

from base64 import b64encode
from hashlib import new as new_hash
from typing import Final, final

from zkbridge.tree.acl import Credentials

__all__ = [
    "DIGEST_ALGORITHMS",
    "AuthRules",
    "Credentials",
    "authenticate",
    "client_infos",
    "initial_credentials",
    "is_let_in",
    "is_of_other_ensemble",
]

DIGEST_ALGORITHMS: Final[dict[str, str]] = {
    "SHA1": "sha1",
    "SHA-1": "sha1",
    "SHA-224": "sha224",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
    "SHA3-256": "sha3_256",
    "MD5": "md5",
}
"""Java's names for `DigestAuthenticationProvider.digestAlg`, and Python's."""


@final
class AuthRules:
    """What the configuration says of authentication. `super_digest`: `user:hash` of the super user, "" for none.

    `enforced_schemes`: a client may ask only with an identity of one of them; empty for no such rule. `ensemble_names`:
    what the scheme `ensemble` takes; None if there is no such scheme, empty for any name.
    """

    __slots__ = (
        "digest_algorithm",
        "enforced_schemes",
        "ensemble_names",
        "is_digest_enabled",
        "skips_acl",
        "super_digest",
    )

    def __init__(
        self,
        super_digest: str = "",
        digest_algorithm: str = "SHA1",
        is_digest_enabled: bool = True,
        skips_acl: bool = False,
        enforced_schemes: frozenset[str] = frozenset(),
        ensemble_names: frozenset[str] | None = None,
    ) -> None:
        assert digest_algorithm in DIGEST_ALGORITHMS, f"digest algorithm {digest_algorithm!r}"
        self.super_digest: Final = super_digest
        self.digest_algorithm: Final = digest_algorithm
        self.is_digest_enabled: Final = is_digest_enabled
        self.skips_acl: Final = skips_acl
        self.enforced_schemes: Final = enforced_schemes
        self.ensemble_names: Final = ensemble_names


def initial_credentials(peer_host: str, rules: AuthRules) -> Credentials:
    """What a connection has from the start: its address. skipACL makes every check pass, yet adds no id."""
    return Credentials((("ip", peer_host),), rules.skips_acl)


def authenticate(
    credentials: Credentials, scheme: str | None, auth: bytes | None, peer_host: str, rules: AuthRules
) -> Credentials | None:
    """The credentials after an auth packet, or None when it fails: answer AUTH_FAILED (zxid 0) and close."""
    if scheme == "digest" and rules.is_digest_enabled:
        if auth is None:
            return None
        digest = digest_id(auth.decode("utf-8", "replace"), rules.digest_algorithm)
        if rules.super_digest and digest == rules.super_digest:
            credentials = credentials.with_id("super", "")
        return credentials.with_id("digest", digest)
    if scheme == "ip":
        return credentials.with_id("ip", peer_host)
    if scheme == "ensemble" and rules.ensemble_names is not None:
        return credentials
    return None


def is_of_other_ensemble(scheme: str | None, auth: bytes | None, rules: AuthRules) -> bool:
    """Whether an auth packet names an ensemble that this server is not of: its connection is closed without an answer,
    so that the client tries its next server. Source: ZooKeeper EnsembleAuthenticationProvider."""
    names = rules.ensemble_names
    if scheme != "ensemble" or not names or not auth:
        return False
    return auth.decode("utf-8", "replace") not in names


def is_let_in(credentials: Credentials, rules: AuthRules) -> bool:
    """Whether the client may ask anything but who it is. Source: ZooKeeper AuthenticationHelper."""
    schemes = rules.enforced_schemes
    return not schemes or not schemes.isdisjoint([scheme for scheme, _ in credentials.ids])


def digest_id(user_and_password: str, algorithm: str = "SHA1") -> str:
    """`user:base64(hash(user:password))`; what comes before the first colon is the user.

    Source: ZooKeeper DigestAuthenticationProvider.generateDigest.
    """
    user = user_and_password.split(":", 1)[0]
    digest = new_hash(DIGEST_ALGORITHMS[algorithm], user_and_password.encode()).digest()
    return f"{user}:{b64encode(digest).decode('ascii')}"


def client_infos(credentials: Credentials) -> list[tuple[str, str]]:
    """whoAmI's entries, (scheme, user): never a password's hash, and no name for `super`, which has no provider."""
    infos: list[tuple[str, str]] = []
    for scheme, identity in credentials.ids:
        if scheme == "digest":
            infos.append((scheme, identity.split(":", 1)[0]))
        elif scheme == "super":
            infos.append((scheme, ""))
        else:
            infos.append((scheme, identity))
    return infos
