"""The replicated state of auth, and the checks against it.

Example: role r with READ on [a,b), user u with role r, auth enabled at auth revision 5. u may read a1 with a token of
revision 5. Granting r one more permission makes 6: what was asked at 5 and is applied after that is refused, since it
was checked against what is no longer so.

Invariants:
1. The AUTH, AUTH_USERS and AUTH_ROLES tables hold exactly what is here, as etcd stores it.
2. Each change of a user or role, and disabling, takes the auth revision one further; enabling and refusals do not.
3. The roles of a user are sorted, so are the permissions of a role by their keys.

Source: etcd server/auth/store.go, reference section 2.8.
"""

from struct import Struct
from typing import Final, final

from etcdcore.auth.intervals import Intervals, is_valid_range
from etcdcore.auth.records import (
    READ,
    READ_WRITE,
    ROOT,
    Permission,
    Role,
    User,
    decode_role,
    decode_user,
    encode_role,
    encode_user,
)
from etcdcore.errors import (
    AuthenticationFailed,
    AuthNotEnabled,
    AuthRevisionOld,
    CoreError,
    InvalidAuthManagement,
    PermissionDenied,
    PermissionNotGranted,
    RoleExists,
    RoleNameEmpty,
    RoleNotFound,
    RoleNotGranted,
    RootRoleMissing,
    RootUserMissing,
    UserExists,
    UserNameEmpty,
    UserNotFound,
)
from etcdcore.mvcc.engine import AUTH, AUTH_ROLES, AUTH_USERS, Engine

NAME_BYTES_MAX: Final = 511
"""Of a user or a role: its name is a key of the engine, and LMDB's go no further."""

_ENABLED: Final = b"authEnabled"
_REVISION: Final = b"authRevision"
_NUMBER: Final = Struct(">Q")


@final
class AuthStore:
    """Opens what the engine holds. Changes come from the log alone and return why they are refused, or None."""

    __slots__ = ("_engine", "_readable", "_writable", "is_enabled", "revision", "roles", "users")

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        self.is_enabled = engine.get(AUTH, _ENABLED) == b"\1"
        revision = engine.get(AUTH, _REVISION)
        self.revision: int = 1 if revision is None else _NUMBER.unpack(revision)[0]
        self.users: Final[dict[str, User]] = {}
        self.roles: Final[dict[str, Role]] = {}
        for _, data in engine.scan(AUTH_USERS, b"", b""):
            user = decode_user(data)
            self.users[user.name] = user
        for _, data in engine.scan(AUTH_ROLES, b"", b""):
            role = decode_role(data)
            self.roles[role.name] = role
        # What a user may do, made when it is asked for and forgotten at each change.
        self._readable: Final[dict[str, Intervals]] = {}
        self._writable: Final[dict[str, Intervals]] = {}

    # Checks.

    def check(self, user_name: str, auth_revision: int, key: bytes, range_end: bytes, kind: int) -> CoreError | None:
        """Whether a user may READ or WRITE an interval; `auth_revision` 0 means that nobody was named.

        Refuses UserNameEmpty, AuthRevisionOld, PermissionDenied.
        """
        if not self.is_enabled:
            return None
        if auth_revision == 0:
            return UserNameEmpty()
        if auth_revision < self.revision:
            return AuthRevisionOld()
        user = self.users.get(user_name)
        if user is None:
            return PermissionDenied()
        if user.is_admin:
            return None
        made = self._readable if kind == READ else self._writable
        intervals = made.get(user_name)
        if intervals is None:
            intervals = made[user_name] = self._make_intervals(user, kind)
        return None if intervals.covers(key, range_end) else PermissionDenied()

    def check_admin(self, user_name: str) -> CoreError | None:
        """Whether a user holds the role root. Refuses UserNameEmpty, UserNotFound, PermissionDenied."""
        if not self.is_enabled:
            return None
        if not user_name:
            return UserNameEmpty()
        user = self.users.get(user_name)
        if user is None:
            return UserNotFound()
        return None if user.is_admin else PermissionDenied()

    def check_login(self, user_name: str) -> User | CoreError:
        """The user whose password is to be compared. Refuses AuthNotEnabled, AuthenticationFailed."""
        if not self.is_enabled:
            return AuthNotEnabled()
        user = self.users.get(user_name)
        return AuthenticationFailed() if user is None else user

    def has_role(self, user_name: str, role_name: str) -> bool:
        user = self.users.get(user_name)
        return user is not None and role_name in user.roles

    def user_names(self) -> list[str]:
        """In the order of their bytes, as etcd lists them."""
        return sorted(self.users, key=str.encode)

    def role_names(self) -> list[str]:
        return sorted(self.roles, key=str.encode)

    def _make_intervals(self, user: User, kind: int) -> Intervals:
        ranges: list[tuple[bytes, bytes]] = []
        for role_name in user.roles:
            role = self.roles.get(role_name)
            if role is not None:
                for permission in role.permissions:
                    if permission.kind == kind or permission.kind == READ_WRITE:
                        ranges.append((permission.key, permission.range_end))
        return Intervals(ranges)

    # Changes.

    def enable(self) -> CoreError | None:
        """Refuses RootUserMissing, RootRoleMissing; nothing happens when it is enabled already."""
        if self.is_enabled:
            return None
        root = self.users.get(ROOT)
        if root is None:
            return RootUserMissing()
        if not root.is_admin:
            return RootRoleMissing()
        self.is_enabled = True
        self._engine.put(AUTH, _ENABLED, b"\1")
        return None

    def disable(self) -> None:
        """Nothing happens when it is disabled already."""
        if self.is_enabled:
            self.is_enabled = False
            self._engine.put(AUTH, _ENABLED, b"\0")
            self._next_revision()

    def add_user(self, name: str, password: bytes, no_password: bool) -> CoreError | None:
        """`password` is the hash. Refuses UserNameEmpty, UserExists, InvalidAuthManagement (an endless name)."""
        if not name:
            return UserNameEmpty()
        if name in self.users:
            return UserExists()
        if len(name.encode()) > NAME_BYTES_MAX:
            return InvalidAuthManagement()
        self._put_user(User(name, b"" if no_password else password, (), no_password))
        self._next_revision()
        return None

    def delete_user(self, name: str) -> CoreError | None:
        """Refuses UserNotFound, InvalidAuthManagement (root while enabled)."""
        if self.is_enabled and name == ROOT:
            return InvalidAuthManagement()
        if name not in self.users:
            return UserNotFound()
        del self.users[name]
        self._engine.delete(AUTH_USERS, name.encode())
        self._next_revision()
        return None

    def change_password(self, name: str, password: bytes) -> CoreError | None:
        """A user without a password stays without. Refuses UserNotFound."""
        user = self.users.get(name)
        if user is None:
            return UserNotFound()
        kept = b"" if user.no_password else password
        self._put_user(User(name, kept, user.roles, user.no_password, user.has_options))
        self._next_revision()
        return None

    def grant_role(self, user_name: str, role_name: str) -> CoreError | None:
        """The role root need not exist. Refuses UserNotFound, RoleNotFound; a role held already changes nothing."""
        user = self.users.get(user_name)
        if user is None:
            return UserNotFound()
        if role_name != ROOT and role_name not in self.roles:
            return RoleNotFound()
        if role_name in user.roles:
            return None
        roles = tuple(sorted((*user.roles, role_name), key=str.encode))
        self._put_user(User(user.name, user.password, roles, user.no_password, user.has_options))
        self._next_revision()
        return None

    def revoke_role(self, user_name: str, role_name: str) -> CoreError | None:
        """Refuses UserNotFound, RoleNotGranted, InvalidAuthManagement (root's own root while enabled)."""
        if self.is_enabled and user_name == ROOT and role_name == ROOT:
            return InvalidAuthManagement()
        user = self.users.get(user_name)
        if user is None:
            return UserNotFound()
        if role_name not in user.roles:
            return RoleNotGranted()
        self._put_user(_without_role(user, role_name))
        self._next_revision()
        return None

    def add_role(self, name: str) -> CoreError | None:
        """Refuses RoleNameEmpty, RoleExists, InvalidAuthManagement (an endless name)."""
        if not name:
            return RoleNameEmpty()
        if name in self.roles:
            return RoleExists()
        if len(name.encode()) > NAME_BYTES_MAX:
            return InvalidAuthManagement()
        self._put_role(Role(name, ()))
        self._next_revision()
        return None

    def delete_role(self, name: str) -> CoreError | None:
        """Takes it from all users too. Refuses RoleNotFound, InvalidAuthManagement (root while enabled)."""
        if self.is_enabled and name == ROOT:
            return InvalidAuthManagement()
        if name not in self.roles:
            return RoleNotFound()
        del self.roles[name]
        self._engine.delete(AUTH_ROLES, name.encode())
        for user in list(self.users.values()):
            if name in user.roles:
                self._put_user(_without_role(user, name))
        self._next_revision()
        return None

    def grant_permission(self, role_name: str, permission: Permission) -> CoreError | None:
        """In place of one on the same interval. Refuses InvalidAuthManagement (a bad interval), RoleNotFound."""
        if not is_valid_range(permission.key, permission.range_end):
            return InvalidAuthManagement()
        role = self.roles.get(role_name)
        if role is None:
            return RoleNotFound()
        held = list(role.permissions)
        for position in range(len(held)):
            if _is_same_interval(held[position], permission.key, permission.range_end):
                held[position] = permission
                break
        else:
            held.append(permission)
            held.sort(key=_key_of)
        self._put_role(Role(role_name, tuple(held)))
        self._next_revision()
        return None

    def revoke_permission(self, role_name: str, key: bytes, range_end: bytes) -> CoreError | None:
        """Refuses RoleNotFound, PermissionNotGranted."""
        role = self.roles.get(role_name)
        if role is None:
            return RoleNotFound()
        kept = [held for held in role.permissions if not _is_same_interval(held, key, range_end)]
        if len(kept) == len(role.permissions):
            return PermissionNotGranted()
        self._put_role(Role(role_name, tuple(kept)))
        self._next_revision()
        return None

    def _put_user(self, user: User) -> None:
        self.users[user.name] = user
        self._engine.put(AUTH_USERS, user.name.encode(), encode_user(user))

    def _put_role(self, role: Role) -> None:
        self.roles[role.name] = role
        self._engine.put(AUTH_ROLES, role.name.encode(), encode_role(role))

    def _next_revision(self) -> None:
        self._readable.clear()
        self._writable.clear()
        self.revision += 1
        self._engine.put(AUTH, _REVISION, _NUMBER.pack(self.revision))

    def check_invariants(self) -> None:
        stored = AuthStore(self._engine)  # I1
        assert (stored.is_enabled, stored.revision) == (self.is_enabled, self.revision)
        assert {name: encode_user(user) for name, user in stored.users.items()} == {
            name: encode_user(user) for name, user in self.users.items()
        }
        assert {name: encode_role(role) for name, role in stored.roles.items()} == {
            name: encode_role(role) for name, role in self.roles.items()
        }
        for user in self.users.values():
            assert list(user.roles) == sorted(user.roles, key=str.encode)  # I3
        for role in self.roles.values():
            keys = [permission.key for permission in role.permissions]
            assert keys == sorted(keys)  # I3


def _without_role(user: User, role_name: str) -> User:
    roles = tuple(held for held in user.roles if held != role_name)
    return User(user.name, user.password, roles, user.no_password, user.has_options)


def _is_same_interval(permission: Permission, key: bytes, range_end: bytes) -> bool:
    return permission.key == key and permission.range_end == range_end


def _key_of(permission: Permission) -> bytes:
    return permission.key
