"""The same requests to etcdcore and to the real etcd, and the same answers (ids and terms left out).

`script` makes seeded random steps, `player` plays them on one server and writes down what it answered, `watching` is
one watch stream in that, `shrink` finds the few steps of a failing script that it takes. A script knows no answers:
revisions that must mean something are symbolic (`revisions`), and each player puts in those of its own server.
"""
