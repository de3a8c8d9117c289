"""etcdcore.auth.jwt_tokens (reference 2.8, JWT)."""

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from etcdcore.auth.jwt_tokens import JwtTokens
from etcdcore.auth.token_options import TokenOptionsError

_PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def _pems(key: _PrivateKey) -> tuple[bytes, bytes]:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), private


RSA = _pems(rsa.generate_private_key(65537, 2048))
EC = _pems(ec.generate_private_key(ec.SECP256R1()))
ED = _pems(ed25519.Ed25519PrivateKey.generate())


@pytest.mark.parametrize(("method", "keys"), [("RS256", RSA), ("PS384", RSA), ("ES256", EC), ("EdDSA", ED)])
def test_what_the_private_key_signs_the_public_key_verifies(method: str, keys: tuple[bytes, bytes]) -> None:
    signer, verifier = JwtTokens(method, *keys, 60), JwtTokens(method, keys[0], b"", 60)
    assert signer.can_sign and not verifier.can_sign
    token = signer.sign("u", 7, 1000.0)
    assert verifier.verify(token, 1059.0) == ("u", 7)
    assert verifier.verify(token, 1060.0) is None, "its time is over"
    assert verifier.verify(token[:-4] + "AAAA", 1000.0) is None
    assert verifier.verify("no token", 1000.0) is None


def test_a_shared_secret_signs_and_verifies() -> None:
    tokens = JwtTokens("HS256", b"", b"0123456789abcdef0123456789abcdef", 60)
    assert tokens.verify(tokens.sign("u", 1, 0.0), 1.0) == ("u", 1)


def test_a_token_signed_by_another_method_is_nobodys() -> None:
    """A public key is no secret: as the secret of an HS method it must open nothing."""
    secret = b"0123456789abcdef0123456789abcdef"
    forged = jwt.encode({"username": "root", "revision": 1, "exp": 99}, secret, algorithm="HS256")
    unsigned = jwt.encode({"username": "root", "revision": 1, "exp": 99}, "", algorithm="none")
    for token in (forged, unsigned):
        assert JwtTokens("RS256", *RSA, 60).verify(token, 0.0) is None


@pytest.mark.parametrize(
    "claims", [{}, {"username": "u"}, {"username": 5, "revision": 1}, {"username": "u", "revision": "x"}]
)
def test_claims_that_say_too_little_name_nobody(claims: dict[str, object]) -> None:
    secret = b"0123456789abcdef0123456789abcdef"
    token = jwt.encode({**claims, "exp": 99}, secret, algorithm="HS256")
    assert JwtTokens("HS256", b"", secret, 60).verify(token, 0.0) is None


@pytest.mark.parametrize(
    ("method", "public", "private", "text"),
    [
        ("RS256", b"", b"", "needs priv-key"),
        ("HS256", b"", b"", "shared secret"),
        ("RS256", EC[0], b"", "not of the kind"),
        ("ES256", b"", RSA[1], "not of the kind"),
        ("RS256", b"rubbish", b"", "holds no public key"),
        ("RS256", b"", b"rubbish", "holds no private key"),
        ("RS256", _pems(rsa.generate_private_key(65537, 2048))[0], RSA[1], "not the public half"),
    ],
)
def test_unfit_keys_are_refused_by_a_line_that_says_why(method: str, public: bytes, private: bytes, text: str) -> None:
    with pytest.raises(TokenOptionsError, match=text):
        JwtTokens(method, public, private, 60)
