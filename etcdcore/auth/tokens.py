"""Simple tokens: random names for users, known to every member because the log assigns them, kept in memory only.

`token: 16 letters | '.' | raft index of the entry that assigned it`. A token lives for so long after its last use.
Source: etcd server/auth/simple_token.go, reference section 2.8.

Invariants:
1. At most TOKENS_MAX tokens are kept; past that the one used longest ago goes, though its time is not over.
2. The tokens are in the order of their last use, hence of their deadlines.
"""

from typing import Final, final

PREFIX_LETTERS: Final = 16
LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
TOKENS_MAX: Final = 100_000
"""Some 20 MB. Clients that log in for each request would otherwise fill the memory within the time to live."""
TTL_S_DEFAULT: Final = 300


@final
class SimpleTokens:
    """The table of one member. Times are its own clock's; which tokens exist comes from the log."""

    __slots__ = ("_tokens", "_tokens_max", "_ttl_ms", "now_ms")

    def __init__(self, ttl_s: int = TTL_S_DEFAULT, tokens_max: int = TOKENS_MAX) -> None:
        self._tokens_max: Final = tokens_max
        self._ttl_ms: Final = ttl_s * 1000
        self._tokens: Final[dict[str, tuple[str, int]]] = {}
        self.now_ms = 0

    def __len__(self) -> int:
        return len(self._tokens)

    def advance(self, now_ms: int) -> None:
        """Says what the time is, and forgets what is over."""
        self.now_ms = max(self.now_ms, now_ms)
        over: list[str] = []
        for token, entry in self._tokens.items():
            if entry[1] > self.now_ms:
                break
            over.append(token)
        for token in over:
            del self._tokens[token]

    def assign(self, prefix: str, index: int, user_name: str) -> str:
        """The token that the entry at this index makes of a random prefix."""
        token = f"{prefix}.{index}"
        self._tokens.pop(token, None)
        self._tokens[token] = (user_name, self.now_ms + self._ttl_ms)
        if len(self._tokens) > self._tokens_max:
            for oldest in self._tokens:
                del self._tokens[oldest]
                break
        return token

    def user_of(self, token: str) -> str | None:
        """Whose it is, with its full time again; None for one that is unknown or over."""
        entry = self._tokens.get(token)
        if entry is None or entry[1] <= self.now_ms:
            return None
        if entry[1] != self.now_ms + self._ttl_ms:
            del self._tokens[token]
            self._tokens[token] = (entry[0], self.now_ms + self._ttl_ms)
        return entry[0]

    def drop_user(self, user_name: str) -> None:
        """Its password has changed, or it is gone."""
        for token in [token for token, entry in self._tokens.items() if entry[0] == user_name]:
            del self._tokens[token]

    def clear(self) -> None:
        self._tokens.clear()
