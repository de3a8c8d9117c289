"""`python -m zkbridge` is the `zkbridge` command."""

from zkbridge.cli import main

if __name__ == "__main__":
    main(prog_name="zkbridge")
