"""Payment contracts for complex care: one file is the agreement, the model and the settlement.

>>> from carecontracts import Contract, gallery, read_years
>>> contract = Contract.load(gallery("shared-savings"))
"""

from .contract import Contract
from .gallery import gallery
from .ledger import Ledger, Line
from .refusal import Fault, Refusal
from .year import Year, read_years

__version__ = "0.1.0"
__all__ = ["Contract", "Fault", "Ledger", "Line", "Refusal", "Year", "__version__", "gallery", "read_years"]
