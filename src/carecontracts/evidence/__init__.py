"""Evidence: what programs like this one have done, study by study."""
