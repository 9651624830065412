"""The payment mechanisms, one file each. A new file here is a new mechanism; there is nothing else to name it in."""

from functools import reduce
from importlib import import_module
from operator import or_
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import Field

from ..clause import Clause

for _file in iter_modules(__path__):
    import_module(f"{__name__}.{_file.name}")

MECHANISMS: dict[str, type[Clause]] = {
    cls.model_fields["kind"].annotation.__args__[0]: cls  # type: ignore[union-attr]
    for cls in sorted(Clause.__subclasses__(), key=lambda cls: cls.__name__)
}
if TYPE_CHECKING:
    AnyClause: TypeAlias = Clause
else:  # in a contract file the kind decides which mechanism a clause is
    AnyClause = Annotated[reduce(or_, MECHANISMS.values()), Field(discriminator="kind")]
