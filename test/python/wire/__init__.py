"""Concordat's records, read by a program that shares no code with it: docs/wire-format.md, fastavro, cryptography."""
