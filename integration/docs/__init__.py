"""The documents are held to what they say: links lead somewhere, and what a reader would type is run.

`pages` reads Markdown, `programs` makes the commands that a page calls (etcdctl, zkCli.sh, Kafka's scripts) available
under their usual names, `session` runs one page from top to bottom in a network of its own.

How a page is written:
1. A `sh` block is what a reader types. All blocks of a page are one session: what one starts, the next ones use.
2. A `python` or `java` block is a program, run where it stands. `java` programs have Curator's jars.
3. `<!-- file: NAME -->` in front of a block makes it the content of a file in the session's directory.
4. `<!-- not run: REASON -->` in front of a block says that no test runs it here, and why.
5. Every other block is `text`: output, or a piece of configuration.
"""
