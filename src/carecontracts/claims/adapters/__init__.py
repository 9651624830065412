"""Adapters: public claims files in their own layouts, as the five tables."""
