"""`python -m etcdcore` is the `etcdcore` command."""

from etcdcore.cli import main

main()
