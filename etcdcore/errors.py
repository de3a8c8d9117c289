"""The core's errors: one class for each of etcd's error texts, and the engine's failures.

A `CoreError` is an answer: rooms return it as a value, and only a shell may raise it. clientv3 knows an error by its
text alone, other clients by the gRPC code, so both are exactly etcd's. Source: etcd api/v3rpc/rpctypes/error.go.
"""

from typing import ClassVar, Final

OK: Final = 0
CANCELED: Final = 1
UNKNOWN: Final = 2
INVALID_ARGUMENT: Final = 3
DEADLINE_EXCEEDED: Final = 4
NOT_FOUND: Final = 5
PERMISSION_DENIED: Final = 7
RESOURCE_EXHAUSTED: Final = 8
FAILED_PRECONDITION: Final = 9
OUT_OF_RANGE: Final = 11
UNIMPLEMENTED: Final = 12
INTERNAL: Final = 13
UNAVAILABLE: Final = 14
DATA_LOSS: Final = 15
UNAUTHENTICATED: Final = 16


class CoreError(Exception):
    """A request that the core refuses or cannot serve. `text` is the wire text, `grpc_code` the gRPC status number."""

    text: ClassVar[str] = "etcdserver: unknown error"
    grpc_code: ClassVar[int] = UNKNOWN

    def __str__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))


class EngineError(Exception):
    """The storage engine failed: the environment's fault, never a client's."""


class EngineFull(EngineError):
    """No room left in the engine's map or on its disk. Everything since the last commit is gone from the engine."""


class EngineCommitFailed(EngineError):
    """A commit failed, and the engine is back at its last commit.

    Every index built on the engine is ahead of it now: the member must drop store and lessor, open new ones on the
    engine and apply the log again from the applied index that the engine holds.
    """


class EngineSwapFailed(EngineError):
    """A rewritten file could not take the old one's place: there is no engine any more, the member has to stop."""


class EngineCorrupt(EngineError):
    """The engine's file cannot be what we wrote."""


class CommandFormatError(ValueError):
    """Bytes of a log entry that are not a batch of commands: another version wrote them, or they are damaged."""


class RaftError(Exception):
    """What Raft cannot do now or with these bytes. Never an answer to a client: the member turns it into one."""


class DecodeError(RaftError):
    """Bytes that are not the encoding of a Raft record or message."""


class ProposalDropped(RaftError):
    """Raft did not take the proposal. Nothing was appended, so it may be tried again, here or at the leader."""


class ConfChangeRefused(ProposalDropped):
    """The membership change is impossible now: another one is pending, or it does not fit the configuration."""


class LogCompacted(RaftError):
    """The log no longer holds the index that was asked for."""


class LogUnavailable(RaftError):
    """The log does not hold the index that was asked for yet."""


class KeyNotProvided(CoreError):
    text: ClassVar[str] = "etcdserver: key is not provided"
    grpc_code: ClassVar[int] = INVALID_ARGUMENT


class KeyNotFound(CoreError):
    text: ClassVar[str] = "etcdserver: key not found"
    grpc_code: ClassVar[int] = INVALID_ARGUMENT


class ValueProvided(CoreError):
    text: ClassVar[str] = "etcdserver: value is provided"
    grpc_code: ClassVar[int] = INVALID_ARGUMENT


class LeaseProvided(CoreError):
    text: ClassVar[str] = "etcdserver: lease is provided"
    grpc_code: ClassVar[int] = INVALID_ARGUMENT


class TooManyOperations(CoreError):
    text: ClassVar[str] = "etcdserver: too many operations in txn request"
    grpc_code: ClassVar[int] = INVALID_ARGUMENT


class DuplicateKey(CoreError):
    text: ClassVar[str] = "etcdserver: duplicate key given in txn request"
    grpc_code: ClassVar[int] = INVALID_ARGUMENT


class InvalidClientApiVersion(CoreError):
    text: ClassVar[str] = "etcdserver: invalid client api version"
    grpc_code: ClassVar[int] = INVALID_ARGUMENT


class InvalidSortOption(CoreError):
    text: ClassVar[str] = "etcdserver: invalid sort option"
    grpc_code: ClassVar[int] = INVALID_ARGUMENT


class InvalidMemberUrls(CoreError):
    text: ClassVar[str] = "etcdserver: given member URLs are invalid"
    grpc_code: ClassVar[int] = INVALID_ARGUMENT


class RequestTooLarge(CoreError):
    text: ClassVar[str] = "etcdserver: request is too large"
    grpc_code: ClassVar[int] = INVALID_ARGUMENT


class UserNameEmpty(CoreError):
    text: ClassVar[str] = "etcdserver: user name is empty"
    grpc_code: ClassVar[int] = INVALID_ARGUMENT


class RoleNameEmpty(CoreError):
    text: ClassVar[str] = "etcdserver: role name is empty"
    grpc_code: ClassVar[int] = INVALID_ARGUMENT


class AuthenticationFailed(CoreError):
    text: ClassVar[str] = "etcdserver: authentication failed, invalid user ID or password"
    grpc_code: ClassVar[int] = INVALID_ARGUMENT


class PermissionNotGiven(CoreError):
    text: ClassVar[str] = "etcdserver: permission not given"
    grpc_code: ClassVar[int] = INVALID_ARGUMENT


class InvalidAuthManagement(CoreError):
    text: ClassVar[str] = "etcdserver: invalid auth management"
    grpc_code: ClassVar[int] = INVALID_ARGUMENT


class AuthRevisionOld(CoreError):
    text: ClassVar[str] = "etcdserver: revision of auth store is old"
    grpc_code: ClassVar[int] = INVALID_ARGUMENT


class DowngradeVersionFormatWrong(CoreError):
    text: ClassVar[str] = "etcdserver: wrong downgrade target version format"
    grpc_code: ClassVar[int] = INVALID_ARGUMENT


class DowngradeVersionInvalid(CoreError):
    text: ClassVar[str] = "etcdserver: invalid downgrade target version"
    grpc_code: ClassVar[int] = INVALID_ARGUMENT


class RevisionCompacted(CoreError):
    text: ClassVar[str] = "etcdserver: mvcc: required revision has been compacted"
    grpc_code: ClassVar[int] = OUT_OF_RANGE


class RevisionInFuture(CoreError):
    text: ClassVar[str] = "etcdserver: mvcc: required revision is a future revision"
    grpc_code: ClassVar[int] = OUT_OF_RANGE


class LeaseTtlTooLarge(CoreError):
    text: ClassVar[str] = "etcdserver: too large lease TTL"
    grpc_code: ClassVar[int] = OUT_OF_RANGE


class NoSpace(CoreError):
    text: ClassVar[str] = "etcdserver: mvcc: database space exceeded"
    grpc_code: ClassVar[int] = RESOURCE_EXHAUSTED


class TooManyRequests(CoreError):
    """etcd sends this one and `NotEnoughStartedMembers` as Unknown, by an oversight that clients have learned."""

    text: ClassVar[str] = "etcdserver: too many requests"
    grpc_code: ClassVar[int] = UNKNOWN


class NotEnoughStartedMembers(CoreError):
    text: ClassVar[str] = "etcdserver: re-configuration failed due to not enough started members"
    grpc_code: ClassVar[int] = UNKNOWN


class LeaseNotFound(CoreError):
    text: ClassVar[str] = "etcdserver: requested lease not found"
    grpc_code: ClassVar[int] = NOT_FOUND


class MemberNotFound(CoreError):
    text: ClassVar[str] = "etcdserver: member not found"
    grpc_code: ClassVar[int] = NOT_FOUND


class LeaseExists(CoreError):
    text: ClassVar[str] = "etcdserver: lease already exists"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class MemberExists(CoreError):
    text: ClassVar[str] = "etcdserver: member ID already exist"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class PeerUrlsExist(CoreError):
    text: ClassVar[str] = "etcdserver: Peer URLs already exists"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class NotLearner(CoreError):
    text: ClassVar[str] = "etcdserver: can only promote a learner member"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class LearnerNotReady(CoreError):
    text: ClassVar[str] = "etcdserver: can only promote a learner member which is in sync with leader"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class TooManyLearners(CoreError):
    text: ClassVar[str] = "etcdserver: too many learner members in cluster"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class ClusterIdMismatch(CoreError):
    text: ClassVar[str] = "etcdserver: cluster ID mismatch"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class RootUserMissing(CoreError):
    text: ClassVar[str] = "etcdserver: root user does not exist"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class RootRoleMissing(CoreError):
    text: ClassVar[str] = "etcdserver: root user does not have root role"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class UserExists(CoreError):
    text: ClassVar[str] = "etcdserver: user name already exists"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class UserNotFound(CoreError):
    text: ClassVar[str] = "etcdserver: user name not found"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class RoleExists(CoreError):
    text: ClassVar[str] = "etcdserver: role name already exists"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class RoleNotFound(CoreError):
    text: ClassVar[str] = "etcdserver: role name not found"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class RoleNotGranted(CoreError):
    text: ClassVar[str] = "etcdserver: role is not granted to the user"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class PermissionNotGranted(CoreError):
    text: ClassVar[str] = "etcdserver: permission is not granted to the role"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class AuthNotEnabled(CoreError):
    text: ClassVar[str] = "etcdserver: authentication is not enabled"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class NotLeader(CoreError):
    text: ClassVar[str] = "etcdserver: not leader"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class NotCapable(CoreError):
    text: ClassVar[str] = "etcdserver: not capable"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class NotSupportedForLearner(CoreError):
    text: ClassVar[str] = "etcdserver: rpc not supported for learner"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class BadLeaderTransferee(CoreError):
    text: ClassVar[str] = "etcdserver: bad leader transferee"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class ClusterVersionUnavailable(CoreError):
    text: ClassVar[str] = "etcdserver: cluster version not found during downgrade"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class DowngradeInProgress(CoreError):
    text: ClassVar[str] = "etcdserver: cluster has a downgrade job in progress"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class NoInflightDowngrade(CoreError):
    text: ClassVar[str] = "etcdserver: no inflight downgrade job"
    grpc_code: ClassVar[int] = FAILED_PRECONDITION


class PermissionDenied(CoreError):
    text: ClassVar[str] = "etcdserver: permission denied"
    grpc_code: ClassVar[int] = PERMISSION_DENIED


class InvalidAuthToken(CoreError):
    text: ClassVar[str] = "etcdserver: invalid auth token"
    grpc_code: ClassVar[int] = UNAUTHENTICATED


class NoLeader(CoreError):
    text: ClassVar[str] = "etcdserver: no leader"
    grpc_code: ClassVar[int] = UNAVAILABLE


class LeaderChanged(CoreError):
    text: ClassVar[str] = "etcdserver: leader changed"
    grpc_code: ClassVar[int] = UNAVAILABLE


class ServerStopped(CoreError):
    text: ClassVar[str] = "etcdserver: server stopped"
    grpc_code: ClassVar[int] = UNAVAILABLE


class RequestTimedOut(CoreError):
    text: ClassVar[str] = "etcdserver: request timed out"
    grpc_code: ClassVar[int] = UNAVAILABLE


class RequestTimedOutLeaderFailure(CoreError):
    text: ClassVar[str] = "etcdserver: request timed out, possibly due to previous leader failure"
    grpc_code: ClassVar[int] = UNAVAILABLE


class RequestTimedOutConnectionLost(CoreError):
    text: ClassVar[str] = "etcdserver: request timed out, possibly due to connection lost"
    grpc_code: ClassVar[int] = UNAVAILABLE


class RequestTimedOutLeaderTransfer(CoreError):
    text: ClassVar[str] = "etcdserver: request timed out, leader transfer took too long"


class PasswordTooLong(CoreError):
    text: ClassVar[str] = "bcrypt: password length exceeds 72 bytes"


class TokenVerifyOnly(CoreError):
    text: ClassVar[str] = "auth: token signing attempted with verify-only key"


class NoPasswordUser(CoreError):
    text: ClassVar[str] = "auth: authentication failed, password was given for no password user"


class AppliedIndexTooSlow(CoreError):
    text: ClassVar[str] = "etcdserver: request timed out, waiting for the applied index took too long"
    grpc_code: ClassVar[int] = UNAVAILABLE


class UnhealthyCluster(CoreError):
    text: ClassVar[str] = "etcdserver: unhealthy cluster"
    grpc_code: ClassVar[int] = UNAVAILABLE


class WatchCanceled(CoreError):
    text: ClassVar[str] = "etcdserver: watch canceled"
    grpc_code: ClassVar[int] = CANCELED


class RequestCanceled(CoreError):
    text: ClassVar[str] = "etcdserver: request canceled"
    grpc_code: ClassVar[int] = CANCELED


class ClusterCorrupt(CoreError):
    text: ClassVar[str] = "etcdserver: corrupt cluster"
    grpc_code: ClassVar[int] = DATA_LOSS
