"""The docker-compose suite: the files of docker/compose, started and driven through Docker's own networks.

`engine` finds a Docker engine or starts one of its own, `images` pulls what the files name or builds a stand-in,
`project` is one compose file that runs. May import `integration.peers`.
Invariants: an engine that runs already is left as it is; only an engine of our own, or one in CI, is given stand-ins
for public images; a project's names, networks and ports belong to one test module.
"""
