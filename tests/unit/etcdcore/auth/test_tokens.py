"""etcdcore.auth.tokens (reference 2.8, simple tokens)."""

from etcdcore.auth.tokens import SimpleTokens


def test_a_token_is_its_prefix_and_the_index_of_its_entry() -> None:
    tokens = SimpleTokens(300)
    assert tokens.assign("abcdefghijklmnop", 7, "u") == "abcdefghijklmnop.7"
    assert tokens.user_of("abcdefghijklmnop.7") == "u"
    assert tokens.user_of("abcdefghijklmnop.8") is None


def test_a_token_lives_for_its_time_after_its_last_use() -> None:
    tokens = SimpleTokens(10)
    token = tokens.assign("p", 1, "u")
    for now_ms in (9_000, 18_000, 27_999):
        tokens.advance(now_ms)
        assert tokens.user_of(token) == "u"
    tokens.advance(37_998)
    assert tokens.user_of(token) == "u"
    tokens.advance(47_998)
    assert tokens.user_of(token) is None
    assert len(tokens) == 0


def test_use_of_one_token_does_not_prolong_another() -> None:
    tokens = SimpleTokens(10)
    old, used = tokens.assign("p", 1, "u"), tokens.assign("q", 1, "u")
    tokens.advance(5_000)
    tokens.user_of(used)
    tokens.advance(12_000)
    assert (tokens.user_of(old), tokens.user_of(used)) == (None, "u")


def test_a_changed_user_loses_his_tokens_and_others_keep_theirs() -> None:
    tokens = SimpleTokens(10)
    mine, other = tokens.assign("p", 1, "u"), tokens.assign("q", 1, "v")
    tokens.drop_user("u")
    assert (tokens.user_of(mine), tokens.user_of(other)) == (None, "v")
    tokens.clear()
    assert tokens.user_of(other) is None


def test_past_the_bound_the_token_used_longest_ago_goes() -> None:
    tokens = SimpleTokens(10, tokens_max=2)
    first = tokens.assign("p", 1, "u")
    tokens.advance(1)
    second = tokens.assign("q", 1, "u")
    tokens.advance(2)
    tokens.user_of(first)
    tokens.assign("r", 1, "u")
    assert (tokens.user_of(first), tokens.user_of(second)) == ("u", None)


def test_time_never_goes_back() -> None:
    tokens = SimpleTokens(10)
    tokens.advance(5_000)
    tokens.advance(1_000)
    assert tokens.now_ms == 5_000


def test_the_same_entry_applied_again_assigns_the_same_token() -> None:
    """A store that is built anew from the log."""
    tokens = SimpleTokens(10)
    assert tokens.assign("p", 1, "u") == tokens.assign("p", 1, "u")
    assert len(tokens) == 1
