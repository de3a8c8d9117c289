"""Unchanged clients on the server under test: zkCli, kazoo's own suite, kazoo's recipes."""
