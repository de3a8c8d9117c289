"""JSON web tokens: signed statements of who a user is and at which auth revision that was checked.

Claims as etcd's: `username`, `revision`, `exp` (seconds). Not refreshed by use; whoever has the public key verifies.
Imported by servers with such tokens only: PyJWT and cryptography take long to load. Source: etcd server/auth/jwt.go.
"""

from typing import Final, final

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509 import load_pem_x509_certificate

from etcdcore.auth.token_options import TokenOptionsError

_PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey
_PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey


@final
class JwtTokens:
    """Signs when it has a private key (or a shared one), verifies always. Raises TokenOptionsError for unfit keys."""

    __slots__ = ("_method", "_signing", "_ttl_s", "_verifying")

    def __init__(self, method: str, public_key: bytes, private_key: bytes, ttl_s: float) -> None:
        """The keys are the contents of their files: PEM, but for HS methods, where the private one is the secret."""
        self._method: Final = method
        self._ttl_s: Final = ttl_s
        if method.startswith("HS"):
            if not private_key:
                raise TokenOptionsError("a HS sign-method needs priv-key, the shared secret")
            self._signing: _PrivateKey | bytes | None = private_key
            self._verifying: _PublicKey | bytes = private_key
            return
        private = _load_private(private_key, method) if private_key else None
        public = _load_public(public_key, method) if public_key else None
        if private is not None:
            own = private.public_key()
            if public is not None and _pem(public) != _pem(own):
                raise TokenOptionsError("pub-key is not the public half of priv-key")
            public = own
        if public is None:
            raise TokenOptionsError("jwt needs priv-key, or pub-key to verify only")
        self._signing = private
        self._verifying = public

    @property
    def can_sign(self) -> bool:
        return self._signing is not None

    def sign(self, user_name: str, auth_revision: int, now_s: float) -> str:
        assert self._signing is not None, "this member can only verify tokens"
        claims = {"username": user_name, "revision": auth_revision, "exp": int(now_s + self._ttl_s)}
        return jwt.encode(claims, self._signing, algorithm=self._method)

    def verify(self, token: str, now_s: float) -> tuple[str, int] | None:
        """The user and the auth revision; None when it is not ours, not signed this way, or over."""
        try:
            # The time is an argument here, so the library must not ask the clock.
            claims = jwt.decode(
                token, self._verifying, algorithms=[self._method], options={"verify_exp": False, "verify_nbf": False}
            )
        except jwt.PyJWTError:
            return None
        user_name, revision, expires = claims.get("username"), claims.get("revision"), claims.get("exp")
        if not isinstance(user_name, str) or not isinstance(revision, int | float):
            return None
        if expires is not None and (not isinstance(expires, int | float) or expires <= now_s):
            return None
        return user_name, int(revision)


def _load_private(data: bytes, method: str) -> _PrivateKey:
    try:
        key = load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise TokenOptionsError(f"priv-key holds no private key: {error}") from error
    wanted = _KINDS[method[:2]][0]
    if not isinstance(key, wanted):
        raise TokenOptionsError(f"priv-key is not of the kind that {method} needs")
    return key


def _load_public(data: bytes, method: str) -> _PublicKey:
    try:
        is_certificate = b"CERTIFICATE" in data
        key = load_pem_x509_certificate(data).public_key() if is_certificate else load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise TokenOptionsError(f"pub-key holds no public key: {error}") from error
    wanted = _KINDS[method[:2]][1]
    if not isinstance(key, wanted):
        raise TokenOptionsError(f"pub-key is not of the kind that {method} needs")
    return key


def _pem(key: _PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


_KINDS: Final[dict[str, tuple[type[_PrivateKey], type[_PublicKey]]]] = {
    "RS": (RSAPrivateKey, RSAPublicKey),
    "PS": (RSAPrivateKey, RSAPublicKey),
    "ES": (EllipticCurvePrivateKey, EllipticCurvePublicKey),
    "Ed": (Ed25519PrivateKey, Ed25519PublicKey),
}
