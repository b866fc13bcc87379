"""The one error that users are meant to read: what went wrong, where, and how to mend it."""

from __future__ import annotations


class CascadenceError(Exception):
    """An error with a remedy, shown to users without a traceback.

    The three parts are positional so that the error survives the trip between worker processes.

    Attributes:
        what: What went wrong, in one sentence.
        where: The file, line, field, name or stage concerned; empty when there is none.
        mend: What the user can do about it; empty when nothing is known.
    """

    def __init__(self, what: str, where: str = "", mend: str = "") -> None:
        """Keep the three parts.

        Args:
            what: What went wrong, in one sentence.
            where: The file, line, field, name or stage concerned.
            mend: What the user can do about it.
        """
        super().__init__(what, where, mend)
        self.what = what
        self.where = where
        self.mend = mend

    def __str__(self) -> str:
        """Lay out the parts that are there, one a line."""
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.mend:
            lines.append(f"  mend:  {self.mend}")
        return "\n".join(lines)
