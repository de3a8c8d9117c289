"""The suites against real servers and unchanged clients; what they start lives in `integration.peers`."""
