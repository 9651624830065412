"""Payment contracts for complex care: one file is the agreement, the model and the settlement."""

__version__ = "0.1.0"
