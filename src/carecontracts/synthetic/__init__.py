"""People, their claims and published targets that are made up, to try a contract on."""
