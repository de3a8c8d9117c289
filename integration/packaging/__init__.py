"""How the program is packed: its two wheels, the environment of `make run`, and the test that both forms work.

`wheels` builds the plain and the compiled wheel, `run_environment` installs one for `make run` and `make bench`.
Both run before anything is installed, so they use the standard library only and nothing of the packages they pack.
Invariants: a build never works in the source tree, so no object file can end up beside a source and shadow it; what
cannot be compiled is installed as plain Python, with a line that says so.
"""
