"""Which servers a proxy goes to once it has asked the cluster."""

from etcdcore.pb import rpc_pb2
from etcdcore.proxy.endpoints import endpoints_of


def test_members_that_serve_are_the_endpoints() -> None:
    answer = rpc_pb2.MemberListResponse()
    for name, urls, is_learner in (
        ("a", ["http://a:1", "http://a:2"], False),
        ("", ["http://starting:1"], False),
        ("c", ["http://learner:1"], True),
        ("d", ["http://d:1"], False),
    ):
        member = answer.members.add(name=name, isLearner=is_learner)
        member.clientURLs.extend(urls)
    assert endpoints_of(answer) == ["http://a:1", "http://a:2", "http://d:1"]
