"""etcd's services: message bytes in, message bytes out, on `etcdcore.rpc.calls`, over one member.

Here live `services` (builds the table of methods from a member: read it first), `gate` (who is calling, and may he),
`header`, `tasks` (how a cold method becomes an async function), a file or two for each service, and `convert_*` (their
codecs by hand). May import member and everything below it, rpc and pb; knows no gRPC library.
Invariants: everything runs on the member's loop; what runs for each request makes no task, future or closure; a
request's checks come in etcd's order, which `gate` says.
"""
