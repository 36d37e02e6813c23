"""What a person decides about packages, records and differences: the same from a terminal and from the Prefect UI."""
