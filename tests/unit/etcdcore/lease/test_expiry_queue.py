from etcdcore.lease.expiry_queue import ExpiryQueue


def test_entries_come_out_when_due_in_order_of_deadlines() -> None:
    queue = ExpiryQueue()
    queue.push(300, 1)
    queue.push(100, 2)
    queue.push(200, -3)
    assert queue.next_deadline() == 100
    assert queue.pop_due(99) is None
    assert [queue.pop_due(200), queue.pop_due(200), queue.pop_due(200)] == [(100, 2), (200, -3), None]
    assert queue.next_deadline() == 300


def test_a_cleared_queue_has_no_deadline() -> None:
    queue = ExpiryQueue()
    queue.push(300, 1)
    queue.clear()
    assert queue.next_deadline() is None
