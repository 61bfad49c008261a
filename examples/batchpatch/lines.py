"""Lines as git and Python's parser count them, in characters."""

from itertools import accumulate


def line_starts(text: str) -> list[int]:
    r"""Return the offset of every line, and last that of the end of the text.

    Only "\n" ends a line: str.splitlines would also split at form feeds and the like.
    """
    *lines, rest = text.split("\n")
    lengths = [len(line) + 1 for line in lines]
    if rest:
        lengths.append(len(rest))
    return list(accumulate(lengths, initial=0))
