"""What ends a release."""


class ReleaseError(Exception):
    """A release cannot be made; the message is one line and says what to do."""
