"""Claims: the five tables, how they are read, and what may be wrong with them."""

import warnings

# PySpark says this at its import, which pandera does wherever PySpark is, and at each answer.
warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
