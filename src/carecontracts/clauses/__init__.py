"""The payment mechanisms, one file each. A new file here is a new mechanism; there is nothing else to name it in."""

import json
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import PlainValidator, SerializeAsAny, ValidationInfo

from ..clause import MECHANISMS, Clause
from ..refusal import did_you_mean, refuse, show

__all__ = ["MECHANISMS", "AnyClause"]

# Kinds that were spelled otherwise: not accepted, but whoever has an old file is told what to write.
RESPELLED = {
    "savings_corridor": "kind: corridor, of: savings",
    "losses_corridor": "kind: corridor, of: losses",
    "cumulative_savings": "kind: cumulative, of: savings",
    "cumulative_losses": "kind: cumulative, of: losses",
    "guarantee": "kind: loss_cover",
    "measure_guarantee": "kind: fee_at_risk_on_measure",
    "savings_guarantee": "kind: fee_at_risk_on_savings",
}

for _file in iter_modules(__path__):
    import_module(f"{__name__}.{_file.name}")


def _of_its_kind(clause: Any, info: ValidationInfo) -> Clause:
    """A clause of a contract file, by the mechanism that its kind names."""
    if isinstance(clause, Clause):  # of a class that no kind names
        return type(clause).model_validate({term: getattr(clause, term) for term in clause.model_fields_set})
    if not isinstance(clause, dict):
        allowed, do = "terms and their values (`term: value`)", "write one term to a line"
        refuse(show(clause), allowed, do)
    kind = clause.get("kind")
    if not isinstance(kind, str) or kind not in MECHANISMS:
        kinds = sorted(MECHANISMS)
        do = did_you_mean(kind, kinds) + "write the kind of clause as `kind:`"
        if isinstance(kind, str) and kind in RESPELLED:
            do = f"{kind} is now: {RESPELLED[kind]}"
        refuse(f"kind: {show(kind)}", "one of the kinds " + ", ".join(kinds), do)
    if info.mode == "json":  # whose keys are names, years included: the terms must know
        return MECHANISMS[kind].model_validate_json(json.dumps(clause))
    return MECHANISMS[kind].model_validate(clause)


if TYPE_CHECKING:
    AnyClause: TypeAlias = Clause
else:  # in a contract file the kind decides which mechanism a clause is
    AnyClause = Annotated[SerializeAsAny[Clause], PlainValidator(_of_its_kind)]
