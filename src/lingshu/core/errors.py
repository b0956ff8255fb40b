"""Errors a user can mend: the message names the file, key or row, and says the fix."""

from __future__ import annotations


class UserError(Exception):
    """A mistake in input, parameters or environment, shown without a traceback.

    Args:
        what: what is wrong, naming the file, key or row.
        fix: what to do about it, in the imperative.
    """

    def __init__(self, what: str, fix: str = "") -> None:
        self.what = what
        self.fix = fix
        super().__init__(f"{what}\n  fix: {fix}" if fix else what)

    @property
    def line(self) -> str:
        """What is wrong and what to do about it, for a place that has one line."""
        return f"{self.what}; {self.fix}" if self.fix else self.what

    def __reduce__(self) -> tuple[type[UserError], tuple[str, str]]:
        """Pickle what made it, so that it comes out of another process as it went in."""
        return type(self), (self.what, self.fix)


class AccountingError(AssertionError):
    """Rows in do not equal rows kept plus rows dropped by reason: a defect of a stage, never of a user."""
