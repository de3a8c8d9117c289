"""Passwords and tokens of one member: who a caller is, before it is asked what he may do.

Hashing a password takes a tenth of a second by design, so it is done in threads, never on the loop; and the plain
password goes nowhere else: not into the log, not into a log line, not into the cache.

Invariants:
1. At most PASSWORDS_WAITING_MAX passwords are being hashed or wait for it; one more is refused.
2. The cache of verified passwords is bounded, and what it holds are keyed digests bound to the stored hash: a changed
   password is not found, and a dump of memory holds no password.
"""

import asyncio
import hmac
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from etcdcore.apply.admin_commands import authenticate
from etcdcore.apply.results import AuthenticateResult
from etcdcore.auth.token_options import TokenOptionsError, parse_token_options
from etcdcore.auth.tokens import LETTERS, PREFIX_LETTERS
from etcdcore.config import ConfigError, MemberConfig
from etcdcore.errors import (
    AuthenticationFailed,
    CoreError,
    InvalidAuthToken,
    NoPasswordUser,
    PasswordTooLong,
    TokenVerifyOnly,
    TooManyRequests,
)
from etcdcore.member.administration import Administration

if TYPE_CHECKING:
    from etcdcore.auth.jwt_tokens import JwtTokens

PASSWORD_BYTES_MAX: Final = 72
"""bcrypt looks at no more; etcd refuses to hash a longer one, and to compare it looks at these."""
PASSWORDS_WAITING_MAX: Final = 256
"""About half a minute of work for two threads."""
VERIFIED_MAX: Final = 1024
ATTEMPTS_MAX: Final = 10
"""A login begins anew when users or roles were changed meanwhile; so often in a row is refused."""
_THREADS: Final = 2


@final
class Authentication:
    """One for each member, as `member.authentication`. Raises ConfigError for token options that cannot be used."""

    __slots__ = ("_admin", "_cost", "_jwt", "_secret", "_threads", "_verified", "_waiting_count")

    def __init__(self, admin: Administration, config: MemberConfig) -> None:
        self._admin: Final = admin
        self._cost: Final = config.bcrypt_cost
        self._jwt: Final = _open_jwt(config.auth_token)
        self._threads: Final = ThreadPoolExecutor(_THREADS, "password")
        self._waiting_count = 0
        self._secret: Final = secrets.token_bytes(32)
        self._verified: Final[dict[bytes, None]] = {}

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def identify(self, token: str) -> tuple[str, int] | CoreError:
        """The user of a token, and the auth revision at which he was found to be who he is. Refuses InvalidAuthToken.

        Differs: etcd waits for the log index that a simple token names; here it is applied, or the token is nobody's.
        """
        state = self._admin.state
        if self._jwt is not None:
            return self._jwt.verify(token, time.time()) or InvalidAuthToken()
        user_name = state.tokens.user_of(token)
        return InvalidAuthToken() if user_name is None else (user_name, state.auth.revision)

    async def login(self, user_name: str, password: str) -> str:
        """A token. Refuses AuthNotEnabled, AuthenticationFailed, NoPasswordUser."""
        if self._jwt is not None and not self._jwt.can_sign:
            raise TokenVerifyOnly
        admin = self._admin
        await admin.read_index()
        for _ in range(ATTEMPTS_MAX):
            auth = admin.state.auth
            user = auth.check_login(user_name)
            if isinstance(user, CoreError):
                raise user
            if user.no_password:
                raise NoPasswordUser
            revision = auth.revision
            if not await self._is_password(password, user.password):
                raise AuthenticationFailed
            prefix = "" if self._jwt is not None else _random_prefix()
            result = await admin.decide(authenticate(user_name, prefix))
            assert isinstance(result, AuthenticateResult), "a login is answered by a token"
            if result.auth_revision == revision:
                if self._jwt is not None:
                    return self._jwt.sign(user_name, revision, time.time())
                return result.token
        raise AuthenticationFailed

    async def hash_password(self, password: str) -> bytes:
        """For the log. Refuses PasswordTooLong, TooManyRequests."""
        data = password.encode()
        if len(data) > PASSWORD_BYTES_MAX:
            raise PasswordTooLong
        self._admit()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._hash, data)
        finally:
            self._waiting_count -= 1

    async def _is_password(self, password: str, stored: bytes) -> bool:
        data = password.encode()
        digest = hmac.digest(self._secret, stored + b"\0" + data, "sha256")
        if digest in self._verified:
            return True
        self._admit()
        try:
            is_right = await asyncio.get_running_loop().run_in_executor(self._threads, _compare, data, stored)
        finally:
            self._waiting_count -= 1
        if is_right:
            if len(self._verified) >= VERIFIED_MAX:
                self._verified.clear()
            self._verified[digest] = None
        return is_right

    def _admit(self) -> None:
        if self._waiting_count >= PASSWORDS_WAITING_MAX:
            raise TooManyRequests
        self._waiting_count += 1

    def _hash(self, password: bytes) -> bytes:
        import bcrypt  # late: a server without users does not load it

        return bcrypt.hashpw(password, bcrypt.gensalt(self._cost, b"2a"))


def _compare(password: bytes, stored: bytes) -> bool:
    import bcrypt  # late, as above

    try:
        return bcrypt.checkpw(password[:PASSWORD_BYTES_MAX], stored)
    except ValueError:
        return False  # what is stored is no bcrypt hash, so no password fits


def _random_prefix() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(PREFIX_LETTERS))


def _open_jwt(options_text: str) -> "JwtTokens | None":
    try:
        options = parse_token_options(options_text)
        if options.kind == "simple":
            return None
        # Late: PyJWT and cryptography take long to load, and only this needs them.
        from etcdcore.auth.jwt_tokens import JwtTokens

        public = Path(options.public_key_path).read_bytes() if options.public_key_path else b""
        private = Path(options.private_key_path).read_bytes() if options.private_key_path else b""
        return JwtTokens(options.sign_method, public, private, options.ttl_s)
    except (TokenOptionsError, OSError) as error:
        raise ConfigError(f"auth_token cannot be used: {error}") from error
