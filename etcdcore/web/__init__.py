"""Plain HTTP on the client port: the JSON gateway, health checks, version, metrics, debug pages.

`handler` (read it first) is what the port's listener calls: access rules, then one of `gateway`, `health`, `pages`,
`metrics`. The gateway turns JSON into message bytes (`json_read`), calls the methods that gRPC calls (`gateway_call`)
and turns the answers back (`json_write`); `routes` is its table. Imports api, rpc, member, pb and below.
"""
