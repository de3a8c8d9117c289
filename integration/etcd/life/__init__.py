"""Starting, stopping and being abused: flags, exit codes, signals, TLS, other clients in the same process."""
