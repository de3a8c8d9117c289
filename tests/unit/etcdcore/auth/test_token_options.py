"""etcdcore.auth.token_options: `--auth-token` is taken apart as etcd takes it."""

import pytest

from etcdcore.auth.token_options import TokenOptionsError, parse_token_options


def test_options_are_taken_apart() -> None:
    options = parse_token_options("jwt,pub-key=/p,priv-key=/q,sign-method=RS256,ttl=1h30m")
    assert (options.kind, options.public_key_path, options.private_key_path) == ("jwt", "/p", "/q")
    assert (options.sign_method, options.ttl_s) == ("RS256", 5400.0)
    assert parse_token_options("jwt,sign-method=EdDSA").ttl_s == 300.0
    assert parse_token_options("simple").kind == "simple"


@pytest.mark.parametrize(
    "text", ["", "x", "jwt", "jwt,sign-method=XX", "jwt,sign-method=RS256,ttl=5", "jwt,a", "jwt,ttl=1s,ttl=2s"]
)
def test_options_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(TokenOptionsError):
        parse_token_options(text)
