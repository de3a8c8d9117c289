"""The subcommands of `zkbridge`, one module each; `zkbridge.cli` imports the one that is asked for.

May import `config`, `zoo_cfg`, `logs`, and `server` late, so that `--help` and a wrong flag don't wait for it.
"""
