from ..worded import Text
from .provision import Provision


class Meanings(Provision):
    """The words on which money turns: each as two people who disagree would apply it."""

    title = "What words mean"
    words = (
        "A documented service is {documented_service}.",
        "An engaged month is one in which {engaged_month}.",
        "A hospital stay is {stay}.",
        "A readmission is {readmission}.",
        "The comparison group is {comparison_group}.",
        "Total cost is {total_cost}.",
    )
    plainly = ("documented_service", "engaged_month", "stay", "readmission", "comparison_group", "total_cost")

    documented_service: Text | None = None
    engaged_month: Text | None = None
    stay: Text | None = None
    readmission: Text | None = None
    comparison_group: Text | None = None
    total_cost: Text | None = None
