"""The legal bases of the statute, as data shipped with the program (ADR-0025).

`statute.tsv` has one row for each basis, `coverage.tsv` says what a group of them opens of each file, and
`version.toml` which text of the law they were taken from.
"""
