"""What goes wrong on the way to other systems."""


class UndeliverableError(Exception):
    """An attempt failed.

    Attributes:
        lasting: there is no use in trying again.
    """

    def __init__(self, problem: str, *, lasting: bool = False) -> None:
        super().__init__(problem)
        self.lasting = lasting
