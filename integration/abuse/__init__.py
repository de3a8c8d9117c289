"""Bad input on the client port: each ends as ZooKeeper ends it, nobody else notices, memory comes back.

`cases` says what is sent, `endings` plays it and writes down how it ended, `probe` is the client that must not notice.
May import `integration.peers` and the frame encoder of `integration.conformance`.
Invariants: an ending is found by waiting for an answer or a close, never by a guess from a short silence; every test
here ends with the server alive, answering ruok, and with no error in its log.
"""
