"""What the parts of a venue file have in common."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from enum import Enum
from typing import TypeAlias, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo, model_validator

E = TypeVar("E", bound=Enum)

Point: TypeAlias = tuple[float, float]


class Part(BaseModel):
    """A mapping of the file. The context of a validation notes which model each mapping was read as."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _note(cls, value: object, info: ValidationInfo) -> object:
        if info.context is not None:
            info.context[id(value)] = cls
        return value

    @classmethod
    def keys(cls) -> list[str]:
        """The keys that the mapping may have."""
        return [field.alias or name for name, field in cls.model_fields.items()]


def unknown(text: object, known: list[str]) -> str:
    """Says that a word is not one of those known, and which one may have been meant."""
    close = get_close_matches(str(text), known, n=1)
    return (f"did you mean `{close[0]}`? " if close else "") + f"known: {', '.join(known)}"


def one_of(members: Iterable[E], spell: Callable[[str], str]) -> BeforeValidator:
    """Reads a member of an enumeration by its name as a file spells it."""
    known = {spell(member.name): member for member in members}

    def parse(value: object) -> E:
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"is {value!r}; {unknown(value, list(known))}")
        return known[value]

    return BeforeValidator(parse)
