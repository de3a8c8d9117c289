"""The `zkbridge` command as a process, also as `python -m zkbridge`.

Everything else is imported inside, so that an interrupt is no traceback while modules load either.
"""

import os
import sys

_EXIT_CLOSED_PIPE = 1


def main() -> None:
    """Runs the command. A reader that is gone, as `head` is early, and an interrupt end it without a word."""
    try:
        try:
            from zkbridge.cli import main as run

            run(prog_name="zkbridge")
        finally:
            # Here, not at the interpreter's end, where a failure can only be printed.
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        sys.exit(_EXIT_CLOSED_PIPE)
    except KeyboardInterrupt:
        import signal

        # As whoever waits for us expects it: ended by the signal.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    main()
