import json

from etcdcore.pb import rpc_pb2
from etcdcore.web.json_read import read_message
from etcdcore.web.json_write import quote, write_message


def test_wide_integers_are_strings_bytes_base64_enums_names_and_zero_is_left_out() -> None:
    message = rpc_pb2.AlarmResponse()
    message.header.cluster_id = (1 << 64) - 1
    message.header.revision = -1
    message.alarms.add(memberID=5, alarm=rpc_pb2.CORRUPT)
    message.alarms.add()
    assert write_message(message) == (
        '{"header":{"cluster_id":"18446744073709551615","revision":"-1"},'
        '"alarms":[{"memberID":"5","alarm":"CORRUPT"},{}]}'
    )


def test_an_enum_without_a_name_is_its_number_and_narrow_integers_are_numbers() -> None:
    assert write_message(rpc_pb2.AlarmRequest(alarm=9)) == '{"alarm":9}'  # type: ignore[arg-type]  # the wire allows it
    assert write_message(rpc_pb2.HashResponse(hash=3_000_000_000)) == '{"hash":3000000000}'


def test_what_is_set_shows_though_it_is_empty() -> None:
    response = rpc_pb2.StatusResponse()
    response.downgradeInfo.SetInParent()
    assert write_message(response) == '{"downgradeInfo":{}}'
    assert write_message(rpc_pb2.Compare(version=0)) == '{"version":"0"}'


def test_text_is_escaped_as_json_wants_it_and_otherwise_left() -> None:
    assert quote('a"\\\n\x01é€😀') == '"a\\"\\\\\\n\\u0001é€😀"'


def test_what_was_written_reads_back() -> None:
    message = rpc_pb2.TxnRequest()
    message.compare.add(key=b"\0\xff", target=rpc_pb2.Compare.VALUE, value=b"")
    message.success.add().request_put.key = b"k"
    message.failure.add().request_txn.SetInParent()
    again = rpc_pb2.TxnRequest()
    read_message(write_message(message).encode(), again)
    assert again == message
    json.loads(write_message(message))
